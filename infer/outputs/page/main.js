"use strict";

/* Starts the page: joins grid, filters, large view, storage, buttons and keys. */

const FILES = document.querySelector("script[src$='main.js']").getAttribute("src").replace(/\/main\.js$/, "");
const KEYS = { f: "female", m: "male", u: "unknown", x: "no_face" };
const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];
const THEMES = ["auto", "light", "dark"];

function byId(id) {
  return document.getElementById(id);
}

/* Returns a new element with a text. */
function make(name, text = "") {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function announce(text) {
  byId("announcement").textContent = text;
}

function tellProblem(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = !text;
}

const items = readItems(REVIEW.items);
applyCorrections(items, REVIEW.corrections);
let undone = []; // corrections before each change: [picture, correction]
const storage = makeStorage(REVIEW, tellProblem, takeBack, () => {
  grid.fillAll();
  if (viewer.isOpen) viewer.fill();
  showCounts();
});
if (REVIEW.editing) storage.open(items);

const filters = new Filters(items, () => showSelection());
const grid = new Grid(() => openViewer(), () => {
  byId("open").disabled = grid?.current === null;
});
const viewer = new Viewer((item, face) => change(item, withFace(item, face)));
new Summary(items);

function showSelection() {
  const selection = select(items, filters.filter);
  sortItems(selection.found, filters.order);
  grid.show(selection.found, grid.current);
  showCounts(selection);
  const total = items.length.toLocaleString("en");
  const found = selection.found.length.toLocaleString("en");
  const hidden = selection.hidden ? `, ${selection.hidden.toLocaleString("en")} missing hidden` : "";
  byId("shown").textContent = `${found} of ${total} pictures${hidden}`;
}

function showCounts(selection = select(items, filters.filter)) {
  filters.show(selection);
  showSaved();
}

/* Shows how many corrections there are, how many no file has yet, and the button that saves them. */
function showSaved() {
  if (!REVIEW.editing) return;
  const count = items.reduce((sum, item) => sum + (item.correction !== null), 0);
  const unsaved = storage.unsaved
    ? `, ${storage.unsaved.toLocaleString("en")} change${storage.unsaved === 1 ? "" : "s"} not saved`
    : "";
  const saved = REVIEW.server && count ? " saved" : "";
  const plural = count === 1 ? "" : "s";
  byId("saved").textContent = `${count.toLocaleString("en")} correction${plural}${unsaved || saved}`;
  byId("save").hidden = !storage.offersFile;
}

/* Gives a picture another correction and keeps it, if it can be corrected. */
function change(item, correction, isUndo = false) {
  if (!REVIEW.editing) return;
  if (!REVIEW.server && !item.hash) {
    announce(`${item.name} cannot be read, so it cannot be corrected`);
    tellProblem(`${item.name}: cannot be corrected, as the picture could not be read`);
    return;
  }
  if (!isUndo) undone.push([item, item.correction]);
  item.correction = correction;
  storage.changed(item);
  grid.fill(item);
  if (viewer.item === item) viewer.fill();
  announce(`${item.name}: ${describe(item)}${correction === null ? "" : ", reviewed"}`);
  showCounts();
}

/* Takes back the changes of a picture, which cannot be saved. */
function takeBack(item) {
  const first = undone.find(([changed]) => changed === item);
  item.correction = first === undefined ? null : first[1];
  undone = undone.filter(([changed]) => changed !== item);
}

/* Answers for the selected picture and goes to the next one. */
function answer(gender) {
  const item = grid.current;
  if (item === null) return;
  change(item, withGender(item, gender));
  step(1);
}

function step(by) {
  grid.select(grid.place + by);
  if (viewer.isOpen) viewer.show(grid.current);
}

function undo() {
  const last = undone.pop();
  if (last === undefined) {
    announce("Nothing to undo");
    return;
  }
  const [item, correction] = last;
  change(item, correction, true);
  if (grid.selectItem(item) && viewer.isOpen) viewer.show(item);
}

function openViewer() {
  if (grid.current !== null) viewer.open(grid.current);
}

function addActions(parent) {
  const actions = [
    ["Female", "F", () => answer("female")],
    ["Male", "M", () => answer("male")],
    ["Unknown", "U", () => answer("unknown")],
    ["No face", "X", () => answer("no_face")],
    ["Undo", "Z", undo],
  ];
  for (const [text, key, act] of actions) {
    const button = document.createElement("button");
    button.type = "button";
    const hint = document.createElement("kbd");
    hint.textContent = key;
    button.append(`${text} `, hint);
    button.addEventListener("click", act);
    parent.append(button);
  }
}

/* Scrolls the page, in a small window, so that keys act on a picture in sight.

   Buttons do not: the next one would move under the finger. */
function showGrid() {
  byId("grid").scrollIntoView({ block: "nearest" });
}

/* Returns whether Enter and Space belong to an element, such as a button or a check box. */
function isControl(element) {
  return element.closest("button, form, summary") !== null;
}

/* Handles a key; returns whether it has a meaning here. */
function press(key, target) {
  if (document.querySelector("dialog[open]:not(#viewer)")) return false;
  if (key === "?") byId("help").showModal();
  else if (key === "/" && !viewer.isOpen) {
    byId("filters").open = true;
    byId("text").focus();
    byId("text").select();
  } else if (key.toLowerCase() in KEYS && REVIEW.editing) {
    answer(KEYS[key.toLowerCase()]);
    showGrid();
  } else if (key.toLowerCase() === "z" && REVIEW.editing) {
    undo();
    showGrid();
  } else if (viewer.isOpen && (key === "ArrowLeft" || key === "ArrowRight")) step(key === "ArrowLeft" ? -1 : 1);
  else if (!viewer.isOpen && MOVES.includes(key)) {
    byId("grid").focus();
    grid.move(key);
    showGrid();
  } else if (!viewer.isOpen && (key === "Enter" || key === " ") && !isControl(target)) {
    openViewer();
  } else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const { target } = event;
  const isText = target.matches("input[type=search], input[type=number], select");
  if (isText) {
    if (event.key === "Escape") byId("grid").focus();
    return;
  }
  if (press(event.key, target)) event.preventDefault();
});

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = `Theme: ${theme}`;
  try {
    localStorage.setItem("image-gender-review theme", theme);
  } catch { /* storage is blocked */ }
}

function storedTheme() {
  try {
    const theme = localStorage.getItem("image-gender-review theme");
    return THEMES.includes(theme) ? theme : "auto";
  } catch {
    return "auto";
  }
}

document.body.classList.toggle("reading", !REVIEW.editing);
byId("title").textContent = REVIEW.title;
document.title = REVIEW.title;
addActions(byId("grid-actions"));
addActions(byId("viewer-actions"));
setTheme(storedTheme());
byId("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme;
  setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
});
byId("save").textContent = REVIEW.server ? "Save unsaved corrections" : "Save corrections";
byId("save").addEventListener("click", () => {
  storage.save(items);
  showSaved();
});
byId("show-help").addEventListener("click", () => byId("help").showModal());
byId("close-help").addEventListener("click", () => byId("help").close());
byId("open").addEventListener("click", openViewer);
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
window.addEventListener("beforeunload", (event) => {
  if (storage.atRisk) event.preventDefault();
});
if (matchMedia("(max-width: 40rem), (max-height: 35rem)").matches) byId("filters").open = false;
showSelection();
byId("grid").focus({ preventScroll: true });
