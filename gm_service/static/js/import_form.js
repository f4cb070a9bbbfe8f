// The import form: a check first, then the import; a repeated click or a retry after a lost answer submits once.

import { acceptDrops } from "./drop.js";
import { onSubmit, say, setText } from "./dom.js";
import { readSource } from "./import_source.js";
import { settle, submissionId } from "./submissions.js";
import { t } from "./texts.js";
import { Verdict } from "./verdict.js";

const IMPORTS = "/station/order/batch";
// The id stands for other content: a file that was changed without its size or time showing it.
const ID_REUSED = 40904;

export function startImportForm(onStarted) {
  const form = document.getElementById("import-form");
  const { file, rows, time_config_id } = form.elements;
  const checkButton = form.querySelector("[value=check]");
  const importButton = form.querySelector("[value=import]");
  const message = form.querySelector(".message");
  const verdict = new Verdict(document.getElementById("verdict"));
  // Counts changes of the form, so that an answer about what stood there before is known as such.
  let edition = 0;

  function beginAnew() {
    verdict.hide();
    setText(importButton, t("import_unchecked"));
    lead(checkButton);
  }

  function lead(next) {
    [checkButton, importButton].forEach((button) => button.classList.toggle("primary", button === next));
  }

  async function check(source, fields) {
    const asked = edition;
    const checked = await source.send(`${IMPORTS}/check`, fields);
    if (asked === edition) {
      verdict.show(checked, message);
      setText(importButton, nextStep(checked));
      lead(checked.created > 0 ? importButton : checkButton);
    }
  }

  async function submit(source, fields) {
    const asked = edition;
    const id = submissionId(`${fields.time_config_id}|${source.mark}`);
    await settling(source.send(`${IMPORTS}/submit`, { ...fields, task_id: id }));
    if (asked === edition) {
      form.reset();
      time_config_id.value = fields.time_config_id;
      beginAnew();
    }
    say(message, t("import_started"), "good");
    onStarted();
  }

  form.addEventListener("input", () => {
    edition += 1;
    say(message, "");
    beginAnew();
  });
  form.querySelector("details").open = rows.value !== "";
  acceptDrops(form.querySelector(".drop"), file);
  beginAnew();
  onSubmit(form, t("sending"), async (_, button) => {
    const fields = { time_config_id: time_config_id.value };
    const source = await readSource(file.files[0], rows.value);
    await (button === importButton ? submit(source, fields) : check(source, fields));
  });
}

function nextStep({ created, failed }) {
  if (failed === 0) {
    return t("import_all", { count: created });
  }
  return created ? t("import_good", { count: created }) : t("import_none");
}

// Whatever else is answered, the same content keeps its id, as an earlier try may have been taken.
async function settling(answer) {
  try {
    await answer;
    settle();
  } catch (error) {
    if (error.code === ID_REUSED) {
      settle();
    }
    throw error;
  }
}
