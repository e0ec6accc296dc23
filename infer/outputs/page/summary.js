"use strict";

/* The summary: counts by folder, unreadable files with reasons, and the settings of the run. */

const KINDS = ["female", "male", "uncertain", "no_face", "unreadable"];
const TOP = "(top folder)";

/* Returns as what a picture counts: its gender if that is known, otherwise its status. */
function kindOf(item) {
  const { status, gender, face } = answerOf(item);
  if (status === "classified" || status === "reviewed") {
    if (gender !== "unknown") return gender;
    return face < 0 ? "no_face" : "uncertain";
  }
  return status;
}

/* Returns the counts of pictures by kind, also of all and reviewed ones. */
function countKinds(items) {
  const counts = Object.fromEntries(["all", ...KINDS, "reviewed"].map((kind) => [kind, 0]));
  for (const item of items) {
    counts.all += 1;
    counts[kindOf(item)] += 1;
    if (answerOf(item).status === "reviewed") counts.reviewed += 1;
  }
  return counts;
}

class Summary {
  constructor(items) {
    this.dialog = byId("summary");
    this.items = items;
    const facts = REVIEW.run.flatMap(([name, value]) => [make("dt", name), make("dd", value)]);
    byId("summary-run").append(...facts);
    byId("summary-run-title").hidden = facts.length === 0;
    byId("show-summary").addEventListener("click", () => this.open());
    byId("close-summary").addEventListener("click", () => this.dialog.close());
  }

  open() {
    this.fillCounts();
    this.fillUnreadable();
    this.dialog.showModal();
  }

  fillCounts() {
    const folders = new Map();
    for (const item of this.items) {
      if (!folders.has(item.folder)) folders.set(item.folder, []);
      folders.get(item.folder).push(item);
    }
    const rows = [row("All pictures", countKinds(this.items), true)];
    if (folders.size > 1) {
      const names = [...folders.keys()].sort();
      rows.push(...names.map((name) => row(nameOf(name) || TOP, countKinds(folders.get(name)), false)));
    }
    const head = ["folder", "pictures", ...KINDS, "reviewed"].map((name) => {
      const cell = make("th", inWords(name));
      cell.scope = "col";
      return cell;
    });
    const table = byId("summary-counts");
    table.tHead.rows[0].replaceChildren(...head);
    table.tBodies[0].replaceChildren(...rows);
  }

  fillUnreadable() {
    const unreadable = this.items.filter((item) => answerOf(item).status === "unreadable");
    byId("summary-unreadable").replaceChildren(...unreadable.map((item) => {
      const entry = document.createElement("li");
      entry.append(linkTo(item) ?? item.name, `: ${item.message ?? "no reason is known"}`);
      return entry;
    }));
    byId("summary-unreadable-title").hidden = unreadable.length === 0;
  }
}

function row(name, counts, shares) {
  const heading = make("th", name);
  heading.scope = "row";
  const cells = Object.values(counts).map((count) => {
    const cell = make("td", count.toLocaleString("en"));
    if (shares) cell.append(make("small", `${Math.round((100 * count) / Math.max(counts.all, 1))}%`));
    return cell;
  });
  const line = document.createElement("tr");
  line.append(heading, ...cells);
  return line;
}
