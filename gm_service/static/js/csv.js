// Reads CSV (RFC 4180) into one object a row, keyed by the header; empty cells are left out, values stay text.

import { t } from "./texts.js";

export function readCsv(text) {
  const [header, ...records] = split(text.replace(/^\uFEFF/, ""));
  const rows = records.filter((cells) => cells.some((cell) => cell !== ""));
  if (!header || rows.length === 0) {
    throw new Error(t("csv_empty"));
  }
  const names = header.map((name) => name.trim());
  return rows.map((cells) => toRow(names, cells));
}

function toRow(names, cells) {
  if (cells.length > names.length) {
    throw new Error(t("column_count", { found: cells.length, expected: names.length }));
  }
  return Object.fromEntries(names.map((name, place) => [name, cells[place] ?? ""]).filter(([, cell]) => cell !== ""));
}

function split(text) {
  const records = [];
  let cells = [];
  let cell = "";
  let quoted = false;
  for (let place = 0; place < text.length; place += 1) {
    const letter = text[place];
    if (quoted) {
      if (letter !== '"') {
        cell += letter;
      } else if (text[place + 1] === '"') {
        cell += '"';
        place += 1;
      } else {
        quoted = false;
      }
    } else if (letter === '"' && cell === "") {
      quoted = true;
    } else if (letter === ",") {
      cells.push(cell);
      cell = "";
    } else if (letter === "\n" || letter === "\r") {
      place += letter === "\r" && text[place + 1] === "\n" ? 1 : 0;
      records.push([...cells, cell]);
      cells = [];
      cell = "";
    } else {
      cell += letter;
    }
  }
  if (quoted) {
    throw new Error(t("csv_quote"));
  }
  if (cell !== "" || cells.length > 0) {
    records.push([...cells, cell]);
  }
  return records;
}
