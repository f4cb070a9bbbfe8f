// The export form: fields follow the query type, the finished file or the started task is shown in place.

import { get } from "./api.js";
import { make, onSubmit, say } from "./dom.js";
import { t } from "./texts.js";

export function startExportForm(onStarted) {
  const form = document.getElementById("export-form");
  form.addEventListener("change", () => followType(form));
  form.addEventListener("input", () => say(form.querySelector(".message"), ""));
  followType(form);
  onSubmit(form, t("sending"), async (message) => {
    // Disabled fields, those of the other query types, are not in it.
    const answer = await get("/station/sales_analysis/orderdetail", Object.fromEntries(new FormData(form)));
    if (answer.link) {
      say(message, `${t("export_at_once")} ${answer.reason}`, "good", make("a", { href: answer.link }, t("download")));
    } else {
      say(message, t("export_in_background"), "good");
      onStarted();
    }
  });
}

function followType(form) {
  const type = new FormData(form).get("query_type");
  for (const group of form.querySelectorAll("[data-for]")) {
    const applies = group.dataset.for.split(" ").includes(type);
    group.hidden = !applies;
    group.querySelectorAll("input, select").forEach((field) => (field.disabled = !applies));
  }
}
