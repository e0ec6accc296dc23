"use strict";

/* The filter form, the counts beside its boxes and the histogram of the confidence. */

class Filters {
  constructor(items, changed) {
    this.form = byId("filter-form");
    this.boxes = { statuses: new Map(), genders: new Map() };
    this.addBoxes("statuses", STATUSES);
    this.addBoxes("genders", GENDERS);
    const missing = items.filter((item) => item.missing).length;
    byId("missing-count").textContent = missing.toLocaleString("en");
    byId("missing").parentElement.hidden = missing === 0;
    const folders = [...new Set(items.flatMap((item) => parentsOf(item.folder)))].sort();
    addOptions(byId("folder"), [["", "all"], ...folders.map((folder) => [folder, nameOf(folder)])]);
    byId("folder").parentElement.hidden = folders.length === 0;
    addOptions(byId("order"), Object.entries(ORDERS));
    this.bars = addBars(byId("histogram"));
    let timer = null;
    this.form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(changed, 60);
    });
    this.form.addEventListener("reset", () => setTimeout(changed));
    this.form.addEventListener("submit", (event) => event.preventDefault());
  }

  addBoxes(name, values) {
    for (const value of values) {
      const box = Object.assign(document.createElement("input"), {
        type: "checkbox", checked: true, defaultChecked: true, value,
      });
      const count = document.createElement("span");
      count.className = "count";
      const label = document.createElement("label");
      label.dataset.value = value;
      label.append(box, ` ${inWords(value)} `, count);
      byId(name).append(label);
      this.boxes[name].set(value, { box, count });
    }
  }

  get order() {
    return byId("order").value;
  }

  get filter() {
    const checked = (name) => new Set(
      [...this.boxes[name]].filter(([, { box }]) => box.checked).map(([value]) => value),
    );
    const number = (id, otherwise) => {
      const value = byId(id).valueAsNumber;
      return Number.isNaN(value) ? otherwise : value;
    };
    return {
      statuses: checked("statuses"),
      genders: checked("genders"),
      low: number("low", LOWEST),
      high: number("high", 1),
      text: byId("text").value.trim(),
      folder: byId("folder").value,
      missing: byId("missing").checked,
    };
  }

  /* Shows the counts of a selection (see `select`). */
  show({ statuses, genders, bins }) {
    for (const [name, counts] of [["statuses", statuses], ["genders", genders]]) {
      for (const [value, { count }] of this.boxes[name]) {
        count.textContent = counts[value].toLocaleString("en");
      }
    }
    const most = Math.max(...bins, 1);
    this.bars.forEach((bar, number) => {
      bar.style.height = bins[number] ? `max(2px, ${(100 * bins[number]) / most}%)` : "0";
      bar.title = `${rangeOf(number)}: ${bins[number].toLocaleString("en")}`;
    });
    const parts = bins.map((count, number) => [count, number]).filter(([count]) => count)
      .map(([count, number]) => `${count.toLocaleString("en")} at ${rangeOf(number)}`);
    byId("histogram").setAttribute(
      "aria-label", `Histogram of the confidence: ${parts.join(", ") || "no picture has one"}`,
    );
  }
}

/* Returns a folder and the folders above it, such as a/b and a. */
function parentsOf(folder) {
  const parts = folder ? folder.split("/") : [];
  return parts.map((_, depth) => parts.slice(0, depth + 1).join("/"));
}

function addOptions(menu, pairs) {
  for (const [value, text] of pairs) menu.append(new Option(text, value));
}

function addBars(parent) {
  const bars = Array.from({ length: BINS }, () => document.createElement("i"));
  const scale = document.createElement("p");
  scale.append(...["0.5", "confidence", "1"].map((text) => {
    const part = document.createElement("span");
    part.textContent = text;
    return part;
  }));
  const plot = document.createElement("div");
  plot.append(...bars);
  parent.append(plot, scale);
  return bars;
}

function rangeOf(bin) {
  const edge = (number) => (LOWEST + (number * (1 - LOWEST)) / BINS).toFixed(3).replace(/0$/, "");
  return `${edge(bin)} to ${edge(bin + 1)}`;
}
