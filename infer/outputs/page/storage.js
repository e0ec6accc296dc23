"use strict";

/* Where corrections go: to the server, or to this browser until "Save corrections".

   `open(items)` applies the corrections of earlier visits. `changed(item)` keeps one that was just
   made or taken back, and returns a promise. `unsaved` counts those that no file has yet. */

function makeStorage(data, tell) {
  return data.server ? new ServerStorage(tell) : new BrowserStorage(data, tell);
}

/* Applies [index, gender, face] triples to the pictures. */
function applyCorrections(items, corrections) {
  for (const [index, gender, face] of corrections) items[index].correction = { gender, face };
}

class ServerStorage {
  constructor(tell) {
    this.tell = tell;
    this.waiting = new Map(); // by picture: only its last state counts
    this.sending = false;
  }

  get unsaved() {
    return this.waiting.size + (this.sending ? 1 : 0);
  }

  open() {}

  changed(item) {
    this.waiting.set(item, item.correction);
    if (!this.sending) this.send();
  }

  async send() {
    while (this.waiting.size) {
      const [[item, correction]] = this.waiting;
      this.waiting.delete(item);
      this.sending = true;
      try {
        await hashOf(item);
        await this.post(item, correction);
        this.tell("");
      } catch (error) {
        if (!this.waiting.has(item)) this.waiting.set(item, correction);
        this.tell(`Not saved yet: ${error.message}. The page tries again; keep it open.`);
        await new Promise((resolve) => { setTimeout(resolve, 2000); });
      }
      this.sending = false;
      showSaved();
    }
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
    }).catch(() => { throw new Error("the server does not answer; start image-gender-review again"); });
    if (!answer.ok) throw new Error(await answer.text());
  }
}

class BrowserStorage {
  constructor(data, tell) {
    this.data = data;
    this.tell = tell;
    this.key = `image-gender-review ${window.location.pathname}`;
    this.kept = { page: data.page, unsaved: 0, entries: {} };
  }

  get unsaved() {
    return this.kept.unsaved;
  }

  open(items) {
    let kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(this.key));
    } catch { /* storage is blocked, or holds something else */ }
    // A page that was made again has the corrections that were saved.
    if (kept === null || (kept.page !== this.data.page && !kept.unsaved)) return;
    this.kept = { ...kept, page: this.data.page };
    for (const item of items) {
      const entry = kept.entries[item.file];
      if (entry === undefined || entry.hash !== item.hash) continue; // the picture has changed
      const { gender, box } = entry;
      const face = box === null ? -1 : item.faces.findIndex((one) => String(boxOf(one)) === String(box));
      item.correction = gender === null ? null : { gender, face: item.faces.length ? Math.max(face, 0) : -1 };
    }
  }

  changed(item) {
    const { correction } = item;
    const face = correction === null ? -1 : correction.face;
    this.kept.entries[item.file] = {
      gender: correction === null ? null : correction.gender,
      box: face < 0 ? null : boxOf(item.faces[face]),
      hash: item.hash,
    };
    this.kept.unsaved += 1;
    this.write();
  }

  write() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.kept));
      this.tell("");
    } catch {
      this.tell("This browser cannot keep the corrections: save them before you close the page.");
    }
  }

  save(items) {
    const rows = items.filter((item) => item.correction !== null).map(csvRow);
    const text = this.data.csvHeader + rows.join("") + this.data.csvOthers;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "corrections.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    this.kept.unsaved = 0;
    this.write();
  }
}
