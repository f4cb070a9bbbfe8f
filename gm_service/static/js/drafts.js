// Carries what was typed into the forms over a change of language; a chosen file can't be carried and is named.

import { say } from "./dom.js";
import { t } from "./texts.js";

const KEY = "drafts";
const isBox = (field) => field.type === "radio" || field.type === "checkbox";

/** Keep the drafts when the language link is followed; where they have no room, ask first. */
export function keepDrafts(link, forms) {
  link.addEventListener("click", (event) => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(forms.map(read)));
    } catch {
      if (!confirm(t("drafts_too_large"))) {
        event.preventDefault();
      }
    }
  });
}

/** Put back what was kept, once. */
export function restoreDrafts(forms) {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  sessionStorage.removeItem(KEY);
  kept.forEach((draft, place) => write(forms[place], draft));
}

function read(form) {
  const fields = [...form.elements].filter((field) => field.name);
  return {
    open: form.closest("details").open,
    values: fields.map((field) => (field.type === "file" ? null : isBox(field) ? field.checked : field.value)),
    file: fields.find((field) => field.type === "file")?.files[0]?.name ?? null,
  };
}

function write(form, { open, values, file }) {
  const fields = [...form.elements].filter((field) => field.name);
  form.closest("details").open = open;
  fields.forEach((field, place) => {
    if (isBox(field)) {
      field.checked = values[place];
    } else if (field.type !== "file") {
      field.value = values[place];
    }
  });
  if (file) {
    say(form.querySelector(".message"), t("choose_file_again", { name: file }), "warn");
  }
}
