// What is wrong with rows of JSON before they are sent; nothing is altered silently. Other files the service reads.

/** Rows that can't be sent: `key` is a text of the dictionary, `facts` fill it, `tone` is "bad" or "warn". */
export class BadRows extends Error {
  constructor(key, facts = {}, tone = "bad") {
    super(key);
    this.key = key;
    this.facts = facts;
    this.tone = tone;
  }
}

/** Return the text of a JSON file's bytes, which is UTF-8 (RFC 8259). */
export function decodeJson(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new BadRows("json_encoding");
  }
}

/** Return the first number of a JSON text that the service would round or refuse, null for none. */
export function findInexact(text) {
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
    if (token[0] !== '"' && !isExact(token)) {
      return token;
    }
  }
  return null;
}

// Integers travel exactly within 64 bits, others with 15 digits.
function isExact(number) {
  if (!/[.eE]/.test(number)) {
    return BigInt.asIntN(64, BigInt(number)) === BigInt(number);
  }
  const digits = number.split(/[eE]/)[0].replace(/\D/g, "").replace(/^0+|0+$/g, "");
  return digits.length <= 15;
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
