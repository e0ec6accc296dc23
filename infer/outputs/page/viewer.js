"use strict";

/* The large view of one picture: all faces, the answer and the XML file. */

class Viewer {
  constructor(chooseFace) {
    this.dialog = byId("viewer");
    this.chooseFace = chooseFace;
    this.item = null;
    this.sheet = document.querySelector("#viewer-picture .sheet");
    this.picture = this.sheet.querySelector("img");
    this.picture.addEventListener("error", () => this.showThumbnail(this.item));
    this.dialog.addEventListener("close", () => {
      this.item = null;
      this.picture.removeAttribute("src");
      byId("grid").focus();
    });
    byId("close").addEventListener("click", () => this.dialog.close());
    new ResizeObserver(() => this.fit()).observe(byId("viewer-picture"));
  }

  get isOpen() {
    return this.dialog.open;
  }

  open(item) {
    if (!this.isOpen) {
      this.dialog.showModal();
      byId("viewer-name").focus();
    }
    this.show(item);
  }

  show(item) {
    const other = item !== this.item;
    this.item = item;
    byId("viewer-name").textContent = item.name;
    this.fill();
    if (!other) return;
    this.failed = false;
    byId("viewer-message").textContent = item.message ?? "";
    byId("viewer-link").replaceChildren(linkTo(item, "Open the picture file") ?? "");
    byId("viewer-xml").textContent = "…";
    const isShown = () => this.item === item;
    const showText = (text) => { if (isShown()) byId("viewer-xml").textContent = text; };
    xmlOf(item).then(showText, (error) => showText(error.message));
    this.picture.alt = `Picture ${item.name}`;
    this.placeholder("");
    // The server's thumbnail also tells the size, which the boxes need.
    withThumbnail(item, isShown, () => {
      if (!isShown()) return;
      const url = urlOfPicture(item);
      if (!item.width) this.placeholder(item.message ?? "This picture cannot be shown.");
      else if (url === null) this.showThumbnail(item);
      else this.picture.src = url;
      this.fit();
      this.fill();
    });
  }

  /* Shows the thumbnail where the picture is missing or the browser cannot show its format. */
  showThumbnail(item) {
    if (item === null || this.failed) return;
    this.failed = true;
    withThumbnail(item, () => this.item === item, (url) => {
      if (url === null) this.placeholder(item.message ?? "This picture cannot be shown.");
      else this.picture.src = url;
    });
  }

  placeholder(text) {
    const place = document.querySelector("#viewer-picture .placeholder");
    place.textContent = text;
    place.hidden = !text;
    this.sheet.hidden = Boolean(text);
  }

  /* Makes the picture as large as the space for it. */
  fit() {
    const { item } = this;
    if (item === null || !item.width) return;
    const { clientWidth, clientHeight } = byId("viewer-picture");
    const scale = Math.min(clientWidth / item.width, clientHeight / item.height);
    this.sheet.style.width = `${item.width * scale}px`;
    this.sheet.style.height = `${item.height * scale}px`;
  }

  /* Writes the answer and the faces. */
  fill() {
    const { item } = this;
    const answer = answerOf(item);
    const shown = byId("viewer-answer");
    const words = describe(item);
    const status = inWords(answer.status);
    shown.textContent = words === status ? words : `${words} (${status})`;
    shown.dataset.gender = words.startsWith(answer.gender) ? answer.gender : "none";
    placeBoxes(this.sheet, item, (face, number) => this.faceButton(face, number, `${number + 1}`));
    const focused = document.activeElement?.closest("#viewer-faces button")?.dataset.number;
    const list = item.faces.map((face, number) => {
      const entry = document.createElement("li");
      entry.append(this.faceButton(face, number, this.faceText(face, number)));
      return entry;
    });
    byId("viewer-faces").replaceChildren(...list);
    if (focused !== undefined) byId("viewer-faces").querySelector(`[data-number="${focused}"]`)?.focus();
  }

  faceText(face, number) {
    const deciding = number === answerOf(this.item).face;
    const reviewed = deciding && this.item.correction !== null;
    const parts = [reviewed ? answerOf(this.item).gender : face.gender ?? "not classified"];
    if (face.confidence !== null && !reviewed) parts.push(face.confidence.toFixed(2));
    parts.push(face.detector, `${face.w} × ${face.h} px`);
    if (face.score !== null) parts.push(`score ${face.score.toFixed(2)}`);
    if (deciding) parts.push("decides");
    return parts.join(", ");
  }

  faceButton(face, number, text) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.number = number;
    button.textContent = text;
    button.setAttribute("aria-pressed", number === answerOf(this.item).face);
    button.setAttribute("aria-label", `Face ${number + 1}: ${this.faceText(face, number)}`);
    button.disabled = !REVIEW.editing;
    button.addEventListener("click", () => this.chooseFace(this.item, number));
    return button;
  }
}
