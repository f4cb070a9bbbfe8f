// What is wrong with rows before they are sent, and how the bytes of a file become text; nothing is altered silently.

/** Rows that can't be sent: `key` is a text of the dictionary, `facts` fill it, `tone` is "bad" or "warn". */
export class BadRows extends Error {
  constructor(key, facts = {}, tone = "bad") {
    super(key);
    this.key = key;
    this.facts = facts;
    this.tone = tone;
  }
}

const WORKBOOKS = [
  [0x50, 0x4b, 0x03, 0x04],
  [0xd0, 0xcf, 0x11, 0xe0],
];

/** Return `{ text, encoding }` of a file's bytes: UTF-8, UTF-16 with its mark, else GB18030, as Chinese Excel saves. */
export function decodeBytes(bytes) {
  if (WORKBOOKS.some((magic) => magic.every((byte, place) => bytes[place] === byte))) {
    throw new BadRows("is_workbook");
  }
  const marks = { "utf-16le": [0xff, 0xfe], "utf-16be": [0xfe, 0xff] };
  const marked = Object.keys(marks).find((name) => marks[name].every((byte, place) => bytes[place] === byte));
  for (const encoding of marked ? [marked] : ["utf-8", "gb18030"]) {
    try {
      return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding };
    } catch {
      // Not this one.
    }
  }
  throw new BadRows("unknown_encoding");
}

/** Return the first number of a JSON text that the service would round, null for none. Integers travel exactly. */
export function findInexact(text) {
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
    const digits = token.split(/[eE]/)[0].replace(/\D/g, "").replace(/^0+|0+$/g, "");
    if (token[0] !== '"' && /[.eE]/.test(token) && digits.length > 15) {
      return token;
    }
  }
  return null;
}

/** Check that a text is a JSON list; return how many rows it has. It is sent as it stands, as JavaScript rounds. */
export function countJsonRows(text) {
  if (!text.trim()) {
    throw new BadRows("no_rows");
  }
  let rows;
  try {
    rows = JSON.parse(text);
  } catch (error) {
    throw new BadRows("not_json", { problem: error.message });
  }
  if (!Array.isArray(rows)) {
    throw new BadRows("not_a_list");
  }
  const number = findInexact(text);
  if (number !== null) {
    throw new BadRows("inexact_number", { number });
  }
  return rows.length;
}
