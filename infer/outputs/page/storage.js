"use strict";

/* Where corrections go: to the server, or to this browser until "Save corrections".

   `open(items)` applies the corrections of earlier visits. `changed(item)` keeps one that was just
   made or taken back. `unsaved` counts those that no file has yet, `atRisk` tells whether closing
   the page loses any, `offersFile` whether `save(items)` can download them. `takeBack` is called for
   a picture whose correction is refused, `refreshed` when corrections have changed on their own. */

function makeStorage(data, tell, takeBack, refreshed) {
  if (data.server) return new ServerStorage(data, tell, takeBack, refreshed);
  return new BrowserStorage(data, tell, refreshed);
}

/* Applies [index, gender, face] triples to the pictures. */
function applyCorrections(items, corrections) {
  for (const [index, gender, face] of corrections) items[index].correction = { gender, face };
}

const NO_ANSWER = "the server does not answer";

/* A correction that no later try can save. */
class Refusal extends Error {}

/* The server was started again: this page can send it nothing more. */
class Restart extends Error {}

/* Throws an error if the server does not give what it was asked for. */
async function requireGood(answer) {
  if (answer.status === 403) {
    throw new Restart("image-gender-review was started again");
  }
  if (answer.status === 400) throw new Refusal(await answer.text());
  if (!answer.ok) throw new Error(await answer.text());
}

/* Lets the user save corrections as a file. */
function download(name, rows) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(rows, { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

class ServerStorage {
  constructor(data, tell, takeBack, refreshed) {
    this.data = data;
    this.tell = tell;
    this.takeBack = takeBack;
    this.refreshed = refreshed;
    this.waiting = new Map(); // by picture: only its last state counts
    this.sending = false;
    this.failing = false;
    this.error = null; // of the last try that failed
    this.downloaded = false; // all that is waiting
    this.refused = null; // the picture of the message about a refusal
  }

  get unsaved() {
    return this.waiting.size;
  }

  get atRisk() {
    return this.unsaved > 0 && !this.downloaded;
  }

  get offersFile() {
    return this.failing;
  }

  open() {}

  changed(item) {
    if (item === this.refused) this.refused = null;
    this.waiting.set(item, item.correction);
    this.downloaded = false;
    if (!this.sending) this.send();
  }

  async send() {
    this.sending = true;
    while (this.waiting.size) {
      const [[item, correction]] = this.waiting;
      try {
        if (correction !== null) await hashOf(item);
        await this.post(item, correction);
        if (this.waiting.get(item) === correction) this.waiting.delete(item);
        this.failing = false;
        if (this.refused === null) this.tell("");
      } catch (error) {
        if (error instanceof Refusal) this.refuse(item, error.message);
        else await this.pause(item, error);
      }
      showSaved();
    }
    this.sending = false;
  }

  refuse(item, reason) {
    this.refused = item; // the message stays: quick keys must not hide it
    this.tell(`${item.name} cannot be corrected: ${reason}`);
    this.takeBack(item);
    this.waiting.delete(item);
    this.refreshed();
  }

  /* Reports a failure and waits; the other corrections are tried before that of the picture. */
  async pause(item, error) {
    const latest = this.waiting.get(item);
    this.waiting.delete(item);
    this.waiting.set(item, latest);
    this.failing = true;
    this.error = error;
    this.tell(this.describeFailure());
    showSaved();
    await new Promise((resolve) => { setTimeout(resolve, 2000); });
  }

  /* Downloads the corrections that the server does not have. */
  save() {
    // Without its hash, a row would hold for any picture of that name.
    const items = [...this.waiting.keys()].filter((item) => item.correction !== null);
    const rows = items.filter((item) => item.hash).map((item) => csvRow(item.file, recordOf(item)));
    download("unsaved-corrections.csv", [this.data.csvHeader, ...rows]);
    this.downloaded = rows.length === items.length;
    this.tell(this.describeFailure());
  }

  describeFailure() {
    const restarted = this.error instanceof Restart;
    if (this.downloaded) {
      const next = restarted ? "then open the address that image-gender-review prints now" : "the page still tries to save them";
      return `The corrections are in unsaved-corrections.csv, among your downloads. Apply it with --corrections; ${next}.`;
    }
    const save = "click Save unsaved corrections and apply that file with --corrections";
    return restarted
      ? `Not saved: ${this.error.message}. To keep them, ${save}; then open the address that it prints now.`
      : `Not saved yet: ${this.error.message}. The page tries again; keep it open. If that does not help, ${save}.`;
  }

  async post(item, correction) {
    const answer = await fetch("correction", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        index: item.index,
        gender: correction === null ? null : correction.gender,
        face: correction === null ? -1 : correction.face,
        picture: item.hash,
      }),
    }).catch(() => { throw new Error(NO_ANSWER); });
    await requireGood(answer);
  }
}

const NO_CORRECTION = "";

/* The answer of a record as text, to compare. */
function stateOf({ gender, box, hash }) {
  return gender === null ? NO_CORRECTION : [gender, box, hash].join(" ");
}

class BrowserStorage {
  constructor(data, tell, refreshed) {
    this.data = data;
    this.tell = tell;
    this.refreshed = refreshed;
    this.key = `image-gender-review ${window.location.pathname}`;
    this.entries = new Map(); // records that the browser keeps, with the last saved answer and a time; by file
    this.items = new Map(); // by file
    this.first = new Map(); // answers of the files that this page was made from, by file
    this.full = false;
  }

  /* A correction that was taken back, or made again as it was saved, counts no longer. */
  get unsaved() {
    let count = 0;
    for (const [file, entry] of this.entries) count += stateOf(entry) !== this.savedAnswer(file, entry);
    return count;
  }

  savedAnswer(file, entry) {
    return entry.saved ?? this.first.get(file) ?? NO_CORRECTION;
  }

  get atRisk() {
    return this.full && this.unsaved > 0;
  }

  get offersFile() {
    return true;
  }

  open(items) {
    this.items = new Map(items.map((item) => [item.file, item]));
    const corrected = items.filter((item) => item.correction !== null);
    this.first = new Map(corrected.map((item) => [item.file, stateOf(recordOf(item))]));
    this.refresh();
    window.addEventListener("storage", (event) => {
      if (event.key !== this.key) return;
      // Two tabs that write at the same time overwrite each other's change.
      if (this.refresh()) this.write();
      this.refreshed();
    });
  }

  /* Returns what earlier visits and other tabs have kept, or null. */
  read() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      // A page that was made again has the corrections that were saved.
      return kept.page === this.data.page || kept.unsaved ? kept : null;
    } catch { // nothing is kept, or storage is blocked
      return null;
    }
  }

  /* Takes over what is kept; returns how many newer entries of this tab are missing there. */
  refresh() {
    const kept = this.full ? null : this.read();
    if (kept === null) return 0;
    const entries = new Map(kept.entries);
    const missing = [...this.entries].filter(
      ([file, { at = 0 }]) => !entries.has(file) || (entries.get(file).at ?? 0) < at,
    );
    for (const [file, entry] of missing) entries.set(file, entry);
    this.entries = entries;
    for (const [file, { gender, box, hash }] of this.entries) {
      const item = this.items.get(file);
      // Pages of version 0.2.0 kept the hash of the file.
      if (item === undefined || ![item.hash, item.fileHash].includes(hash)) continue; // it has changed
      const face = box === null ? -1 : item.faces.findIndex((one) => String(boxOf(one)) === String(box));
      item.correction = gender === null ? null : { gender, face: item.faces.length ? Math.max(face, 0) : -1 };
    }
    return missing.length;
  }

  changed(item) {
    const { correction } = item;
    this.refresh();
    item.correction = correction;
    const saved = this.entries.get(item.file)?.saved;
    this.entries.set(item.file, { ...recordOf(item), saved, at: Date.now() });
    this.write();
  }

  write() {
    try {
      const kept = { page: this.data.page, unsaved: this.unsaved, entries: [...this.entries] };
      localStorage.setItem(this.key, JSON.stringify(kept));
      if (this.full) this.tell(""); // other messages stay: quick keys must not hide them
      this.full = false;
    } catch {
      this.full = true;
      this.tell("This browser cannot keep the corrections: save them before you close the page.");
    }
  }

  save(items) {
    this.refresh();
    const rows = new Map(this.data.csvOthers); // by file
    for (const [file, entry] of this.entries) {
      // Pictures of earlier pages may have other names now; the classifier finds them by their hashes.
      if (stateOf(entry) === this.savedAnswer(file, entry)) continue;
      if (entry.gender === null) rows.delete(file);
      else rows.set(file, csvRow(file, entry));
    }
    for (const item of items) {
      if (item.correction !== null) rows.set(item.file, csvRow(item.file, recordOf(item)));
    }
    download("corrections.csv", [this.data.csvHeader, ...rows.values()]);
    for (const entry of this.entries.values()) entry.saved = stateOf(entry);
    this.write();
  }
}
