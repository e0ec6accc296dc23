"use strict";

/* The pictures, their corrections and the filters. Nothing here touches the page. */

const STATUSES = ["classified", "uncertain", "no_face", "unreadable", "reviewed"];
const GENDERS = ["female", "male", "unknown"];
const ORDERS = {
  doubt: "Most doubtful first",
  certain: "Most certain first",
  name: "File name",
};
// The most doubtful first; what a person has reviewed comes late, and what nobody can see last.
const DOUBT = { uncertain: 0, no_face: 1, classified: 2, unreadable: 3, reviewed: 4, missing: 5 };
const BINS = 20;
const LOWEST = 0.5;

/* Returns the pictures in the rows of data.js, which are in the order of their file names.

   A correction is null or {gender, face}: gender is one of GENDERS or "no_face", face the index of
   the deciding face, -1 if the picture has none. */
function readItems(rows) {
  return rows.map(([file, status, gender, confidence, width, height, hash, faces, message, missing, fileHash = null], index) => ({
    index,
    file,
    name: nameOf(file),
    text: searchText(file),
    folder: file.slice(0, Math.max(file.lastIndexOf("/"), 0)),
    status: STATUSES[status],
    gender: GENDERS[gender],
    confidence,
    width,
    height,
    hash,
    fileHash,
    faces: faces.map(([x, y, w, h, sex, sure, detector, score]) => ({
      x, y, w, h, gender: sex === null ? null : GENDERS[sex], confidence: sure, detector, score,
    })),
    message,
    missing: Boolean(missing),
    correction: null,
  }));
}

/* Returns a path as people know it: data.js, as the XML files, has %25 for a % before two digits. */
function nameOf(file) {
  return file.replace(/%25(?=[0-9a-f]{2})/gi, "%");
}

/* Returns a path as it is searched: names from macOS have accents as characters of their own. */
function searchText(file) {
  return nameOf(file).normalize().toLowerCase();
}

/* Returns what is shown of a picture: its correction, or else the prediction. */
function answerOf(item) {
  const { correction } = item;
  if (correction === null) {
    const face = item.faces.length ? 0 : -1;
    return { status: item.status, gender: item.gender, confidence: item.confidence, face };
  }
  const noFace = correction.gender === "no_face";
  return {
    status: "reviewed",
    gender: noFace ? "unknown" : correction.gender,
    confidence: null,
    face: noFace ? -1 : correction.face,
  };
}

/* Returns the answer in words, such as "female 0.98" or "no face". */
function describe(item) {
  const answer = answerOf(item);
  if (answer.status === "reviewed" && answer.gender === "unknown" && answer.face < 0) return "no face";
  if (answer.status === "no_face" || answer.status === "unreadable") return inWords(answer.status);
  const sure = answer.confidence === null ? "" : ` ${answer.confidence.toFixed(2)}`;
  return answer.gender + sure;
}

function inWords(status) {
  return status.replace("_", " ");
}

/* Returns the pictures that match a filter, with the counts that belong to it.

   The counts of statuses ignore the filter by status, those of genders the filter by gender.
   `hidden` counts the missing pictures that only their own filter excludes. */
function select(items, filter) {
  const found = [];
  const statuses = Object.fromEntries(STATUSES.map((status) => [status, 0]));
  const genders = Object.fromEntries(GENDERS.map((gender) => [gender, 0]));
  const bins = Array.from({ length: BINS }, () => 0);
  const text = searchText(filter.text);
  const below = filter.folder && `${filter.folder}/`;
  let hidden = 0;
  const anyConfidence = filter.low <= LOWEST && filter.high >= 1;
  for (const item of items) {
    if (text && !item.text.includes(text)) continue;
    if (below && !item.file.startsWith(below)) continue;
    const { confidence } = item;
    // Half a unit of the last digit, so that 0.9 to 0.9 finds 0.9.
    const inRange = confidence !== null
      && confidence >= filter.low - 0.0005 && confidence <= filter.high + 0.0005;
    if (!anyConfidence && !inRange) continue;
    const answer = answerOf(item);
    const statusFits = filter.statuses.has(answer.status);
    const genderFits = filter.genders.has(answer.gender);
    if (item.missing && !filter.missing) {
      if (statusFits && genderFits) hidden += 1;
      continue;
    }
    if (genderFits) statuses[answer.status] += 1;
    if (statusFits) genders[answer.gender] += 1;
    if (!statusFits || !genderFits) continue;
    found.push(item);
    if (confidence !== null) bins[binOf(confidence)] += 1;
  }
  return { found, statuses, genders, bins, hidden };
}

function binOf(confidence) {
  return Math.min(Math.max(Math.floor(((confidence - LOWEST) / (1 - LOWEST)) * BINS + 1e-9), 0), BINS - 1);
}

/* Sorts pictures in place; equal ones stay in the order of their file names. */
function sortItems(items, order) {
  const rank = (item) => DOUBT[item.missing ? "missing" : answerOf(item).status];
  const sure = (item) => item.confidence ?? 0;
  if (order === "doubt") {
    items.sort((a, b) => rank(a) - rank(b) || sure(a) - sure(b) || a.index - b.index);
  } else if (order === "certain") {
    items.sort((a, b) => sure(b) - sure(a) || a.index - b.index);
  } else {
    items.sort((a, b) => a.index - b.index);
  }
}

/* Returns the correction when a person gives a gender; the deciding face stays. */
function withGender(item, gender) {
  const current = item.correction;
  const face = current === null ? 0 : Math.max(current.face, 0);
  return { gender, face: item.faces.length ? face : -1 };
}

/* Returns the correction when a person chooses another face: its own gender, if it has one. */
function withFace(item, face) {
  return { gender: item.faces[face].gender ?? "unknown", face };
}

/* Returns a correction as corrections.csv has it, also one that was taken back: {gender, box, hash}.

   `gender` is null if it was taken back, `box` null for a picture without a deciding face. */
function recordOf(item) {
  const { gender, face } = item.correction ?? { gender: null, face: -1 };
  const box = face < 0 || gender === "no_face" ? null : boxOf(item.faces[face]);
  return { gender, box, hash: item.hash };
}

/* Returns the row of a record in corrections.csv, as outputs/corrections.py writes it. */
function csvRow(file, { gender, box, hash }) {
  return `${[csvText(file), gender, ...(box ?? ["", "", "", ""]), hash].join(",")}\n`;
}

function boxOf(face) {
  return [face.x, face.y, face.w, face.h];
}

function csvText(text) {
  const harmless = /^'*[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
