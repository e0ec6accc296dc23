"use strict";

/* Thumbnails, large pictures and XML files: from files next to the page, or from the server. */

const MOST_THUMBNAILS = 1500; // kept in memory
const MOST_REQUESTS = 4; // at a time; browsers open six connections to a server

const thumbnails = new Map(); // URL (or null: there is none) by picture, the most recent last
const wanted = []; // pictures whose thumbnails are requested next, the most recent last
const requested = new Map(); // promises by picture
let running = 0;

/* Calls back with the URL of a picture's thumbnail, or null if it has none.

   `stillWanted` is asked when its turn comes: fast scrolling passes many pictures. */
function withThumbnail(item, stillWanted, show) {
  if (!REVIEW.server) {
    show(item.hash && item.width ? `${FILES}/thumbnails/${item.hash.slice(-2)}/${nameOfThumbnail(item)}` : null);
  } else if (thumbnails.has(item)) {
    show(thumbnails.get(item));
  } else {
    wanted.push({ item, stillWanted, show });
    requestNext();
  }
}

function nameOfThumbnail(item) {
  return `${item.hash.slice(item.hash.indexOf(":") + 1)}.jpg`;
}

async function requestNext() {
  while (wanted.length && running < MOST_REQUESTS) {
    const { item, stillWanted, show } = wanted.pop();
    if (!stillWanted()) continue;
    running += 1;
    fetchThumbnail(item).then(show, () => show(null)).finally(() => {
      running -= 1;
      requestNext();
    });
  }
}

/* Fetches a thumbnail from the server, which also tells the size and the hashes of the picture. */
function fetchThumbnail(item) {
  if (!requested.has(item)) {
    const promise = load(item).finally(() => requested.delete(item));
    requested.set(item, promise);
  }
  return requested.get(item);
}

async function load(item) {
  const answer = await fetch(`thumbnails/${item.index}`).catch(() => { throw new Error(NO_ANSWER); });
  await requireGood(answer);
  const hash = answer.headers.get("X-Picture") ?? "";
  const hashes = [hash, answer.headers.get("X-File")];
  if (item.hash && hash && !hashes.includes(item.hash) && item.correction !== null) {
    item.correction = null; // the picture has changed since
    announce(`${item.name} has changed since it was reviewed`);
    showCounts();
  }
  item.hash = hash;
  let url = null;
  if (answer.headers.has("X-Size")) {
    [item.width, item.height] = answer.headers.get("X-Size").split("x").map(Number);
    url = URL.createObjectURL(await answer.blob());
  } else {
    item.message ??= await answer.text();
  }
  thumbnails.set(item, url);
  if (thumbnails.size > MOST_THUMBNAILS) {
    const [oldest, oldUrl] = thumbnails.entries().next().value;
    thumbnails.delete(oldest);
    if (oldUrl !== null) URL.revokeObjectURL(oldUrl);
  }
  return url;
}

/* Waits until the hash of a picture is known, which a correction needs. */
async function hashOf(item) {
  if (!item.hash) await fetchThumbnail(item);
  if (!item.hash) throw new Refusal(item.message ?? "the picture cannot be read");
}

/* Returns the URL of a picture in its own size, or null where the page knows no folder. */
function urlOfPicture(item) {
  if (REVIEW.server) return `pictures/${item.index}`;
  return REVIEW.pictures === null ? null : REVIEW.pictures + encodePath(item.file);
}

/* Returns a link to the file of a picture, or null where the page knows no folder. */
function linkTo(item, text = item.name) {
  if (REVIEW.pictures === null) return null;
  const link = document.createElement("a");
  link.href = urlOfPicture(item);
  link.textContent = text;
  return link;
}

/* Encodes a path for a URL; its %XX stand for bytes already. */
function encodePath(path) {
  return path.replace(/%[0-9A-Fa-f]{2}|[^%/]+|%/g, (part) =>
    (part.length === 3 && part[0] === "%" ? part : encodeURIComponent(part)));
}

const xmlChunks = new Map(); // promise by number, and the function that resolves it

/* Returns a promise of the text of a picture's XML file. */
function xmlOf(item) {
  const number = Math.floor(item.index / REVIEW.chunk);
  if (!xmlChunks.has(number)) {
    const chunk = {};
    chunk.promise = new Promise((resolve, reject) => {
      chunk.resolve = resolve;
      const script = document.createElement("script");
      script.src = `${FILES}/xml/${number}.js`;
      script.onerror = () => { xmlChunks.delete(number); reject(new Error("the XML cannot be loaded")); };
      document.head.append(script);
    });
    xmlChunks.set(number, chunk);
  }
  return xmlChunks.get(number).promise.then((texts) => texts[item.index % REVIEW.chunk]);
}

/* Called by the scripts in xml/. */
function receiveXml(number, texts) {
  xmlChunks.get(number).resolve(texts);
}

/* Draws boxes around faces over a picture; `make` creates the element of a face. */
function placeBoxes(sheet, item, make) {
  for (const old of sheet.querySelectorAll(".box")) old.remove();
  if (!item.width) return;
  const { face: deciding } = answerOf(item);
  const noFace = item.correction !== null && item.correction.gender === "no_face";
  item.faces.forEach((face, number) => {
    const box = make(face, number);
    box.classList.add("box");
    const gender = number === deciding ? answerOf(item).gender : face.gender;
    box.dataset.gender = noFace ? "none" : gender ?? "none";
    box.classList.toggle("deciding", number === deciding);
    box.style.left = `${(100 * face.x) / item.width}%`;
    box.style.top = `${(100 * face.y) / item.height}%`;
    box.style.width = `${(100 * face.w) / item.width}%`;
    box.style.height = `${(100 * face.h) / item.height}%`;
    sheet.append(box);
  });
}
