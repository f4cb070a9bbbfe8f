// What the import form sends: a file as it is, or rows of JSON as the text they are; the service reads both.

import { maxUploadBytes, postForm, postJson } from "./api.js";
import { BadRows, countJsonRows, decodeJson } from "./json_rows.js";
import { formatSize } from "./texts.js";

/**
 * Return what was chosen or pasted: `fileName`, `mark` (a text that tells this content from others) and
 * `send(path, fields)`, which posts it with more fields, `corrections` (a list) among them.
 */
export async function readSource(file, pasted) {
  if (file && pasted.trim()) {
    throw new BadRows("two_sources", { name: file.name });
  }
  if (!file) {
    return jsonSource(pasted, "");
  }
  const bytes = await readBytes(file);
  if (file.name.toLowerCase().endsWith(".json")) {
    return jsonSource(decodeJson(bytes), file.name.slice(0, 255));
  }
  const mark = ["file", file.name, file.size, file.lastModified].join("|");
  const send = (path, { corrections, ...fields }) =>
    postForm(path, { ...fields, corrections: JSON.stringify(corrections), file: new File([bytes], file.name) });
  return { fileName: file.name, mark, send };
}

/**
 * Return a file's bytes.
 *
 * Read before it is sent: browsers refuse a file that was saved again since it was chosen, and to `fetch` that looks
 * like a lost connection.
 */
export async function readBytes(file) {
  checkSize(file.size);
  try {
    return await file.arrayBuffer();
  } catch {
    throw new BadRows("file_changed", { name: file.name });
  }
}

function jsonSource(json, fileName) {
  countJsonRows(json);
  const send = (path, fields) => {
    // Read and written again, JavaScript would round long numbers.
    const head = JSON.stringify({ ...fields, file_name: fileName }).slice(0, -1);
    const body = new Blob([head, ',"order_data":', json, "}"]);
    checkSize(body.size);
    return postJson(path, body);
  };
  return { fileName, mark: ["json", fileName, json].join("|"), send };
}

function checkSize(bytes) {
  if (bytes > maxUploadBytes) {
    throw new BadRows("too_large", { size: formatSize(bytes), limit: formatSize(maxUploadBytes) });
  }
}
