"use strict";

/* The grid of thumbnails. Only the tiles in sight exist, so that 50,000 pictures scroll smoothly. */

const NARROWEST = 148; // pixels of a tile
const GAP = 8;
const CAPTION = 44; // pixels below the thumbnail
const SPARE_ROWS = 2; // above and below those in sight

class Grid {
  constructor(open, selected) {
    this.element = byId("grid");
    this.sheet = byId("tiles");
    this.open = open;
    this.selected = selected;
    this.list = [];
    this.place = 0; // of the selected picture in the list
    this.tiles = new Map(); // element by picture
    this.element.addEventListener("scroll", () => this.draw(), { passive: true });
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("dblclick", () => this.current && this.open());
    new ResizeObserver(() => this.layOut()).observe(this.element);
  }

  get current() {
    return this.list[this.place] ?? null;
  }

  /* Shows other pictures, with `item` selected if it is one of them. */
  show(list, item) {
    this.list = list;
    this.place = Math.max(list.indexOf(item), 0);
    this.element.hidden = list.length === 0;
    byId("empty").hidden = list.length > 0;
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
    if (item === null || !list.includes(item)) this.element.scrollTop = 0;
    this.layOut();
    this.select(this.place);
  }

  layOut() {
    const width = this.element.clientWidth - GAP;
    if (width <= 0) return;
    const columns = Math.max(Math.floor(width / (NARROWEST + GAP)), 1);
    const side = Math.floor(width / columns) - GAP;
    if (columns !== this.columns || side !== this.side) {
      const first = Math.floor(this.element.scrollTop / (this.rowHeight || 1)) * (this.columns || 1);
      Object.assign(this, { columns, side, rowHeight: side + CAPTION + GAP });
      this.element.style.setProperty("--side", `${side}px`);
      for (const tile of this.tiles.values()) tile.remove();
      this.tiles.clear();
      this.element.scrollTop = Math.floor(first / columns) * this.rowHeight;
    }
    this.sheet.style.height = `${Math.ceil(this.list.length / columns) * this.rowHeight + GAP}px`;
    this.draw();
  }

  /* Adds the tiles that came into sight and removes the others. */
  draw() {
    if (!this.columns) return;
    const { scrollTop, clientHeight } = this.element;
    const firstRow = Math.max(Math.floor(scrollTop / this.rowHeight) - SPARE_ROWS, 0);
    const lastRow = Math.ceil((scrollTop + clientHeight) / this.rowHeight) + SPARE_ROWS;
    const first = firstRow * this.columns;
    const last = Math.min(lastRow * this.columns, this.list.length);
    const inSight = new Set(this.list.slice(first, last));
    for (const [item, tile] of this.tiles) {
      if (!inSight.has(item)) {
        tile.remove();
        this.tiles.delete(item);
      }
    }
    for (let place = first; place < last; place += 1) {
      const item = this.list[place];
      if (!this.tiles.has(item)) this.addTile(item, place);
    }
  }

  addTile(item, place) {
    const tile = document.createElement("div");
    tile.className = "tile";
    tile.id = `picture-${item.index}`;
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-posinset", place + 1);
    tile.setAttribute("aria-setsize", this.list.length);
    tile.dataset.place = place;
    const row = Math.floor(place / this.columns);
    tile.style.top = `${row * this.rowHeight + GAP}px`;
    tile.style.left = `${(place % this.columns) * (this.side + GAP) + GAP}px`;
    tile.append(...["frame", "answer", "name"].map((name) => {
      const part = make("div");
      part.className = name;
      return part;
    }));
    // The folder gives way where there is no room for both.
    const start = item.name.lastIndexOf("/") + 1;
    const parts = [item.name.slice(0, start), item.name.slice(start)].map((text) => make("span", text));
    tile.querySelector(".name").append(...parts);
    tile.title = item.name;
    this.tiles.set(item, tile);
    this.fill(item);
    this.sheet.append(tile);
    withThumbnail(item, () => this.tiles.get(item) === tile, (url) => this.addThumbnail(tile, item, url));
  }

  addThumbnail(tile, item, url) {
    const frame = tile.querySelector(".frame");
    if (url === null) {
      frame.textContent = item.message ?? "no thumbnail";
      frame.classList.add("missing");
      return;
    }
    const picture = document.createElement("img");
    picture.alt = "";
    picture.decoding = "async";
    picture.src = url;
    const sheet = document.createElement("div");
    sheet.className = "sheet";
    const longest = Math.max(item.width, item.height);
    sheet.style.width = `${(100 * item.width) / longest}%`;
    sheet.style.height = `${(100 * item.height) / longest}%`;
    sheet.append(picture);
    frame.replaceChildren(sheet);
    this.fill(item);
  }

  /* Writes the answer of a picture into its tile, if it is in sight. */
  fill(item) {
    const tile = this.tiles.get(item);
    if (!tile) return;
    const answer = answerOf(item);
    const words = describe(item);
    const reviewed = answer.status === "reviewed";
    tile.dataset.gender = answer.gender;
    tile.dataset.status = answer.status;
    const shown = answer.status === "uncertain" ? `uncertain ${(item.confidence ?? 0).toFixed(2)}` : words;
    tile.querySelector(".answer").textContent = reviewed ? `✓ ${words}` : shown;
    tile.setAttribute("aria-label", `${item.name}: ${words}, ${inWords(answer.status)}`);
    tile.setAttribute("aria-selected", item === this.current);
    const sheet = tile.querySelector(".sheet");
    if (sheet) placeBoxes(sheet, item, () => document.createElement("span"));
  }

  fillAll() {
    for (const item of this.tiles.keys()) this.fill(item);
  }

  /* Selects the picture at a place of the list and scrolls it into sight. */
  select(place) {
    const before = this.current;
    this.place = Math.min(Math.max(place, 0), Math.max(this.list.length - 1, 0));
    if (before !== null) this.tiles.get(before)?.setAttribute("aria-selected", "false");
    if (this.columns && this.current !== null) {
      const top = Math.floor(this.place / this.columns) * this.rowHeight;
      const bottom = top + this.rowHeight + GAP - this.element.clientHeight;
      if (this.element.scrollTop > top) this.element.scrollTop = top;
      else if (this.element.scrollTop < bottom) this.element.scrollTop = bottom;
      this.draw();
      this.tiles.get(this.current)?.setAttribute("aria-selected", "true");
      this.element.setAttribute("aria-activedescendant", `picture-${this.current.index}`);
    } else {
      this.element.removeAttribute("aria-activedescendant");
    }
    this.selected();
  }

  selectItem(item) {
    const place = this.list.indexOf(item);
    if (place >= 0) this.select(place);
    return place >= 0;
  }

  move(key) {
    const page = Math.max(Math.floor(this.element.clientHeight / this.rowHeight), 1) * this.columns;
    const steps = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns,
      PageUp: -page, PageDown: page, Home: -this.list.length, End: this.list.length,
    };
    const place = this.place + steps[key];
    // Up and down keep their column: in the first and last row they do not move.
    const outside = place < 0 || place >= this.list.length;
    if (outside && (key === "ArrowUp" || key === "ArrowDown")) return;
    this.select(place);
  }

  click(event) {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    const place = Number(tile.dataset.place);
    // The second tap opens a picture where there is no double click.
    if (place === this.place && event.detail === 1 && matchMedia("(pointer: coarse)").matches) this.open();
    else this.select(place);
  }
}
