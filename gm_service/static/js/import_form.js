// The import form: rows from a file or pasted; a repeated click or a retry after a lost answer submits once.

import { post } from "./api.js";
import { readCsv } from "./csv.js";
import { onSubmit, say } from "./dom.js";
import { t } from "./texts.js";

export function startImportForm(onStarted) {
  const form = document.getElementById("import-form");
  let submissionId = newId();
  // Changed content is another submission; the same content keeps its id until it was accepted.
  form.addEventListener("input", () => (submissionId = newId()));
  onSubmit(form, t("sending"), async (message) => {
    const file = form.elements.file.files[0];
    const order_data = file ? await readFile(file) : parseRows(form.elements.rows.value);
    await post("/station/order/batch/submit", {
      task_id: submissionId,
      time_config_id: form.elements.time_config_id.value.trim(),
      file_name: file?.name ?? "",
      order_data,
    });
    const cycle = form.elements.time_config_id.value;
    form.reset();
    form.elements.time_config_id.value = cycle;
    submissionId = newId();
    say(message, t("import_started"), "good");
    onStarted();
  });
}

async function readFile(file) {
  const text = await file.text();
  return file.name.toLowerCase().endsWith(".csv") ? readCsv(text) : parseRows(text);
}

function parseRows(text) {
  if (!text.trim()) {
    throw new Error(t("no_rows"));
  }
  let rows;
  try {
    rows = JSON.parse(text);
  } catch (error) {
    throw new Error(t("not_json", { problem: error.message }));
  }
  if (!Array.isArray(rows)) {
    throw new Error(t("not_a_list"));
  }
  return rows;
}

function newId() {
  // randomUUID exists on https only; stations may use plain http inside their network.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
