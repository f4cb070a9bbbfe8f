// The import form: rows from a file or pasted; a repeated click or a retry after a lost answer submits once.

import { postJson } from "./api.js";
import { readCsv } from "./csv.js";
import { onSubmit, say } from "./dom.js";
import { BadRows, countJsonRows, decodeBytes } from "./rows.js";
import { remember } from "./submissions.js";
import { formatSize, language, t } from "./texts.js";

export function startImportForm(onStarted) {
  const form = document.getElementById("import-form");
  const maxBytes = Number(form.dataset.maxBytes);
  let submissionId = newId();
  let confirmedId = null;
  // Changed content is another submission; the same content keeps its id until it was accepted.
  form.addEventListener("input", () => {
    submissionId = newId();
    say(form.querySelector(".message"), "");
  });
  onSubmit(form, t("sending"), async (message) => {
    const { file, rows, time_config_id } = form.elements;
    const source = await readSource(file.files[0], rows.value);
    if (source.isGuessed && confirmedId !== submissionId) {
      confirmedId = submissionId;
      throw new BadRows("confirm_encoding", { sample: source.sample }, "warn");
    }
    const cycle = time_config_id.value;
    const head = { task_id: submissionId, time_config_id: cycle, file_name: source.fileName };
    const answer = await postJson("/station/order/batch/submit", makeBody(head, source.json, maxBytes));
    remember(new URLSearchParams(answer.task_url.split("?")[1]).get("task_id"), source.known);
    form.reset();
    time_config_id.value = cycle;
    submissionId = newId();
    say(message, t("import_started", { count: source.count }), "good");
    onStarted();
  });
}

// The rows go as the text they are: read and written again, JavaScript would round long numbers.
function makeBody(head, rowsJson, maxBytes) {
  const body = new Blob([JSON.stringify(head).slice(0, -1), ',"order_data":', rowsJson, "}"]);
  if (body.size > maxBytes) {
    throw new BadRows("too_large", { size: formatSize(body.size), limit: formatSize(maxBytes) });
  }
  return body;
}

async function readSource(file, pasted) {
  if (file && pasted.trim()) {
    throw new BadRows("two_sources", { name: file.name });
  }
  if (!file) {
    return { json: pasted, count: countJsonRows(pasted), fileName: "", known: {} };
  }
  const { text, encoding } = decodeBytes(new Uint8Array(await file.arrayBuffer()));
  const isGuessed = encoding === "gb18030" && language !== "zh";
  const sample = text.match(/[^\x00-\x7f][^\r\n]{0,40}/)?.[0] ?? "";
  return { ...readText(file.name, text), isGuessed, sample };
}

function readText(name, text) {
  const fileName = name.slice(0, 255);
  if (isJson(name, text)) {
    return { json: text, count: countJsonRows(text), fileName, known: { fileName } };
  }
  const { rows, lines } = readCsv(text);
  return { json: JSON.stringify(rows), count: rows.length, fileName, known: { fileName, lines } };
}

function isJson(name, text) {
  const extension = name.toLowerCase().split(".").at(-1);
  return extension === "json" || (extension !== "csv" && /^\s*[[{]/.test(text));
}

function newId() {
  // randomUUID exists on https only; stations may use plain http inside their network.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
