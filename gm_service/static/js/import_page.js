// Imports: a check first, then the import, then what becomes of it, all in place. A repeated click, a reload or a retry
// after a lost answer submits once.

import { Message, useActing } from "./acting.js";
import { CycleChoice } from "./cycles.js";
import { Progress } from "./export_page.js";
import { FileDrop, OpenRows } from "./open_rows.js";
import { readSource } from "./import_source.js";
import { useKept } from "./kept.js";
import { usePageTitle } from "./page_title.js";
import { html, useRef, useState } from "./preact.js";
import { settle, submissionId } from "./submissions.js";
import { useTaskState } from "./task_state.js";
import { hasEnded } from "./task_words.js";
import { t } from "./texts.js";
import { Verdict } from "./verdict.js";

const IMPORTS = "/station/order/batch";
// The id stands for other content: a file that was changed without its size or time showing it.
const ID_REUSED = 40904;
const EXAMPLE = '[{"order_no": "B-1", "order_time": "2026-01-31 06:00", "sku": "A7", "quantity": 2, "unit_price": 3.5}]';

export function ImportPage() {
  usePageTitle(t("import_orders"));
  const [cycle, setCycle] = useKept("import-cycle", "");
  const [pasted, setPasted] = useKept("import-rows", "");
  const [taskId, setTaskId] = useKept("import-task", null);
  const [file, setFile] = useState(null);
  const [checked, setChecked] = useState(null);
  const [edits, setEdits] = useState(new Map());
  const [attempt, setAttempt] = useState(0);
  const [run, busy, message, say] = useActing();
  // Counts changes of the form, so that an answer about what stood there before is known as such.
  const edition = useRef(0);
  function changed(set) {
    return (value) => {
      edition.current += 1;
      setChecked(null);
      setEdits(new Map());
      say(null);
      set(value);
    };
  }
  function correct(row, value) {
    edition.current += 1;
    setEdits((old) => new Map(old).set(`${row.index} ${row.column}`, { index: row.index, column: row.column, value }));
  }
  async function check(source) {
    const asked = edition.current;
    const verdict = await source.send(`${IMPORTS}/check`, { time_config_id: cycle, corrections: [...edits.values()] });
    if (asked === edition.current) {
      setChecked(verdict);
    }
  }
  async function submit(source) {
    const asked = edition.current;
    const corrections = [...edits.values()];
    const id = submissionId(`${cycle}|${source.mark}|${JSON.stringify(corrections)}`);
    const fields = { time_config_id: cycle, task_id: id, corrections };
    const { task_url: url } = await settling(source.send(`${IMPORTS}/submit`, fields));
    setTaskId(Number(new URL(url, location.href).searchParams.get("task_id")));
    if (asked === edition.current) {
      setPasted("");
      setFile(null);
      setChecked(null);
      setEdits(new Map());
      setAttempt((number) => number + 1);
    }
    return { text: t("import_started"), tone: "good" };
  }
  const act = (event) => {
    event.preventDefault();
    const isImport = event.submitter?.value === "import";
    run(async () => {
      const source = await readSource(file, pasted);
      return isImport ? submit(source) : check(source);
    });
  };
  const next = checked && checked.created > 0 ? "import" : "check";
  return html`<h1 tabindex="-1">${t("import_orders")}</h1>
    <form class="panel" id="import-form" onSubmit=${act}>
      <p>${t("import_intro")} <a href="/station/order/batch/template">${t("template")}</a></p>
      <div class="fields">
        <${CycleChoice} value=${cycle} onChange=${changed(setCycle)} />
        <${FileDrop}
          key=${attempt}
          label=${t("choose_file")}
          accept=".xlsx,.csv,.json,text/csv,application/json"
          onChosen=${(input) => changed(setFile)(input.files[0] ?? null)}
        />
      </div>
      <details open=${pasted !== ""}>
        <summary>${t("or_paste")}</summary>
        <textarea
          name="rows"
          rows="5"
          spellcheck="false"
          aria-label=${t("or_paste")}
          aria-describedby="rows-hint"
          value=${pasted}
          onInput=${(event) => changed(setPasted)(event.target.value)}
        ></textarea>
        <p id="rows-hint" class="quiet">${t("for_example")} <code>${EXAMPLE}</code></p>
      </details>
      <${Message} message=${busy ? { text: t("sending") } : message} />
      ${checked && html`<${Verdict} checked=${checked} edits=${edits} onEdit=${correct} />`}
      <p class="actions">
        <button type="submit" value="check" class=${next === "check" ? "primary" : ""} aria-disabled=${busy ? "true" : null}>${t("check")}</button>
        <button type="submit" value="import" class=${next === "import" ? "primary" : ""} aria-disabled=${busy ? "true" : null}>${nextStep(checked)}</button>
      </p>
    </form>
    ${taskId && html`<section aria-labelledby="last-import"><h2 id="last-import">${t("last_import")}</h2><${Imported} key=${taskId} taskId=${taskId} /></section>`}`;
}

function Imported({ taskId }) {
  const [state, soon] = useTaskState(taskId);
  const { page } = state;
  const isOpen = page && hasEnded(page.task) && (page.task.counts.failed || page.task.counts.not_attempted);
  return html`<${Progress} taskId=${taskId} state=${state} onChange=${soon} />
    ${isOpen > 0 && html`<${OpenRows} task=${page.task} isOpen=${false} onChange=${soon} />`}`;
}

function nextStep(checked) {
  if (!checked) {
    return t("import_unchecked");
  }
  if (checked.failed === 0) {
    return t("import_all", { count: checked.created });
  }
  return checked.created ? t("import_good", { count: checked.created }) : t("import_none");
}

// Whatever else is answered, the same content keeps its id, as an earlier try may have been taken.
async function settling(answer) {
  try {
    const data = await answer;
    settle();
    return data;
  } catch (error) {
    if (error.code === ID_REUSED) {
      settle();
    }
    throw error;
  }
}
