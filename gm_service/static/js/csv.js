// Reads CSV (RFC 4180) into one object a row, keyed by the header; empty cells are left out, values stay text.

import { BadRows } from "./rows.js";

/** Return `{ rows, lines }`; `lines` has for each row the line of the file that it begins on, from 1. */
export function readCsv(text) {
  const [header, ...records] = split(text.replace(/^\uFEFF/, ""))
    .map(({ line, cells }) => ({ line, cells: withoutEmptyEnd(cells) }))
    .filter(({ cells }) => cells.length > 0);
  if (!header || records.length === 0) {
    throw new BadRows("csv_empty");
  }
  const names = header.cells.map((name) => name.trim());
  checkNames(names);
  return { rows: records.map((record) => toRow(names, record)), lines: records.map(({ line }) => line) };
}

// Spreadsheets write empty cells as far as anything was ever typed.
function withoutEmptyEnd(cells) {
  return cells.slice(0, cells.findLastIndex((cell) => cell.trim() !== "") + 1);
}

function checkNames(names) {
  const unnamed = names.indexOf("");
  if (unnamed >= 0) {
    throw new BadRows("column_unnamed", { place: unnamed + 1 });
  }
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) {
    throw new BadRows("column_twice", { name: twice });
  }
}

function toRow(names, { line, cells }) {
  if (cells.length > names.length) {
    throw new BadRows("column_count", { line, found: cells.length, expected: names.length });
  }
  return Object.fromEntries(names.map((name, place) => [name, cells[place] ?? ""]).filter(([, cell]) => cell !== ""));
}

function split(text) {
  const records = [];
  let cells = [];
  let cell = "";
  let quoted = false;
  let line = 1;
  let begins = 1;
  let opened = 1;
  const isBreak = (place) => text[place] === "\n" || (text[place] === "\r" && text[place + 1] !== "\n");
  const end = () => {
    records.push({ line: begins, cells: [...cells, cell] });
    cells = [];
    cell = "";
  };
  for (let place = 0; place < text.length; place += 1) {
    const letter = text[place];
    line += isBreak(place) ? 1 : 0;
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
      opened = line;
    } else if (letter === ",") {
      cells.push(cell);
      cell = "";
    } else if (isBreak(place)) {
      end();
      begins = line;
    } else if (letter !== "\r") {
      cell += letter;
    }
  }
  if (quoted) {
    throw new BadRows("csv_quote", { line: opened });
  }
  if (cell !== "" || cells.length > 0) {
    end();
  }
  return records;
}
