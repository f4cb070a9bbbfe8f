// Exports: how many orders match is shown before anything is made; the file, or the task that makes it, appears in place.

import { go } from "./address.js";
import { get } from "./api.js";
import { Message, useActing } from "./acting.js";
import { CycleChoice } from "./cycles.js";
import { useKept } from "./kept.js";
import { usePageTitle } from "./page_title.js";
import { html, useEffect, useState } from "./preact.js";
import { TaskSummary } from "./task_summary.js";
import { useTaskState } from "./task_state.js";
import { t } from "./texts.js";

const EXPORT = "/station/sales_analysis/orderdetail";
const COUNT_MS = 400;
const formats = document.querySelector('meta[name="export-formats"]').content.split(",");
const EMPTY = {
  query_type: "1",
  start_date: "",
  end_date: "",
  time_config_id: "",
  cycle_start_time: "",
  cycle_end_time: "",
  status: "",
  search_text: "",
  search_area: "",
  format: "house",
};
const OF_CYCLE = ["time_config_id", "cycle_start_time", "cycle_end_time"];
const OF_DATES = ["start_date", "end_date"];

export function ExportPage({ query }) {
  usePageTitle(t("export_orders"));
  const [fields, setFields] = useKept("export", EMPTY);
  const [link, setLink] = useState(null);
  const [taskId, setTaskId] = useKept("export-task", null);
  const show = (answer) => {
    setLink(answer?.link ?? null);
    setTaskId(answer?.task_id ?? null);
  };
  const [run, busy, message] = useActing();
  const asked = relevant(fields);
  usePastRequest(query.from, (past) => {
    setFields(past);
    show(null);
  });
  const set = (name) => (event) => {
    const value = event.target ? event.target.value : event;
    setFields((old) => ({ ...old, [name]: value }));
    show(null);
  };
  const submit = (event) => {
    event.preventDefault();
    run(async () => {
      const answer = await get(EXPORT, asked);
      show(answer);
      return { text: answer.link ? `${t("export_at_once")} ${answer.reason}` : t("export_in_background"), tone: "good" };
    });
  };
  return html`<h1 tabindex="-1">${t("export_orders")}</h1>
    <form class="panel" id="export-form" onSubmit=${submit}>
      <fieldset>
        <legend>${t("export_by")}</legend>
        ${[
          ["1", t("by_order_date")],
          ["2", t("by_cycle")],
          ["3", t("by_receive_date")],
        ].map(
          ([value, label]) => html`<label class="choice"
            ><input type="radio" name="query_type" value=${value} checked=${fields.query_type === value} onChange=${set("query_type")} /> ${label}</label
          >`,
        )}
      </fieldset>
      <div class="fields">${fields.query_type === "2" ? cycleFields(fields, set) : dateFields(fields, set)}</div>
      <div class="fields">
        <label>${t("order_status")}${choice("status", statuses(), fields, set)}</label>
        <label>${t("search_text")}<input name="search_text" maxlength="100" placeholder=${t("search_text_hint")} value=${fields.search_text} onInput=${set("search_text")} /></label>
        <label>${t("search_area")}<input name="search_area" maxlength="64" value=${fields.search_area} onInput=${set("search_area")} /></label>
        <label>${t("file_format")}${choice("format", formats.map((name) => [name, t(`format_${name}`)]), fields, set)}</label>
      </div>
      <${Forecast} asked=${asked} />
      <button type="submit" class="primary" aria-disabled=${busy ? "true" : null}>${t("export")}</button>
      <${Message} message=${busy ? { text: t("sending") } : message} />
    </form>
    <section aria-live="polite">
      ${link && html`<p class="panel"><a class="button primary" id="export-link" href=${link}>${t("download")}</a></p>`}
      ${taskId > 0 && html`<${Exported} key=${taskId} taskId=${taskId} />`}
    </section>`;
}

/** Say how many orders match, once the condition is whole and nobody types. */
function Forecast({ asked }) {
  const [told, setTold] = useState({ text: "", tone: "" });
  const key = JSON.stringify(asked);
  useEffect(() => {
    setTold({ text: "", tone: "" });
    if (!isWhole(asked)) {
      return undefined;
    }
    let isOver = false;
    const { format, ...condition } = asked;
    const timer = setTimeout(
      () =>
        get(`${EXPORT}/count`, condition).then(
          (answer) => isOver || setTold({ text: sentenceOf(answer), tone: answer.orders ? "" : "warn" }),
          (error) => isOver || setTold({ text: error.message, tone: "bad" }),
        ),
      COUNT_MS,
    );
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [key]);
  return html`<p id="forecast" class=${`message ${told.tone}`} role="status">${told.text}</p>`;
}

function sentenceOf({ orders, more, async: isAsync }) {
  if (orders === 0) {
    return t("no_orders_match");
  }
  const count = more ? t("more_orders_match", { count: orders }) : t("orders_match", { count: orders });
  return `${count} ${isAsync ? t("made_in_background") : t("made_at_once")}`;
}

function Exported({ taskId }) {
  const [state, soon] = useTaskState(taskId);
  return html`<${Progress} taskId=${taskId} state=${state} onChange=${soon} />`;
}

/** What goes on with a task, shown where it was asked for; `state` is that of useTaskState. */
export function Progress({ taskId, state: { page, failure }, onChange }) {
  return html`${failure && html`<p class="notice bad">${failure.message}</p>`}
    ${page && html`<${TaskSummary} task=${page.task} onChange=${onChange} />`}
    <p><a href=${`/tasks/${taskId}`}>${t("to_task", { id: taskId })}</a></p>`;
}

/** Fill the form with what an earlier export was asked for, once: a reload afterwards keeps what was changed. */
function usePastRequest(taskId, setFields) {
  useEffect(() => {
    if (!taskId) {
      return undefined;
    }
    let isLeft = false;
    get("/pages/task", { task_id: taskId }).then(
      ({ input }) => {
        if (!isLeft) {
          setFields({ ...EMPTY, ...asFields(input) });
          go("/export", { replace: true });
        }
      },
      () => undefined,
    );
    return () => {
      isLeft = true;
    };
  }, [taskId]);
}

function asFields(input) {
  const given = { ...input?.query, format: input?.format };
  const known = Object.keys(EMPTY).filter((name) => given[name] !== null && given[name] !== undefined);
  const fields = Object.fromEntries(known.map((name) => [name, String(given[name])]));
  for (const name of ["cycle_start_time", "cycle_end_time"]) {
    // A field of date and time takes no zone: what stands before it is the station's own time.
    fields[name] = fields[name]?.slice(0, 16) ?? "";
  }
  return fields;
}

function relevant(fields) {
  const left = fields.query_type === "2" ? OF_DATES : OF_CYCLE;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !left.includes(name)));
}

const isWhole = (asked) => (asked.query_type === "2" ? OF_CYCLE : OF_DATES).every((name) => asked[name]);

function dateFields(fields, set) {
  const day = (name, label) =>
    html`<label>${label}<input type="date" name=${name} required value=${fields[name]} onInput=${set(name)} /></label>`;
  return [day("start_date", t("start_date")), day("end_date", t("end_date"))];
}

function cycleFields(fields, set) {
  const moment = (name, label) =>
    html`<label>${label}<input type="datetime-local" name=${name} required value=${fields[name]} onInput=${set(name)} /></label>`;
  return [
    html`<${CycleChoice} value=${fields.time_config_id} onChange=${set("time_config_id")} />`,
    moment("cycle_start_time", t("cycle_start")),
    moment("cycle_end_time", t("cycle_end")),
  ];
}

function choice(name, options, fields, set) {
  return html`<select name=${name} value=${fields[name]} onChange=${set(name)}>
    ${options.map(([value, label]) => html`<option value=${value} selected=${value === fields[name]}>${label}</option>`)}
  </select>`;
}

const statuses = () => [
  ["", t("any")],
  ["1", t("order_submitted")],
  ["2", t("order_confirmed")],
  ["3", t("order_delivered")],
  ["4", t("order_cancelled")],
];
