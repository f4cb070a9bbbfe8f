// The page of one task: what became of it, when, what was asked, what came of it, and its rows.

import { html } from "./preact.js";
import { OpenRows } from "./open_rows.js";
import { ProfileSection } from "./profile_section.js";
import { TaskSummary } from "./task_summary.js";
import { useTaskState } from "./task_state.js";
import { hasEnded, isImport, nameOf } from "./task_words.js";
import { Timeline } from "./timeline.js";
import { formatClock, formatNumber, formatTime, t, textOf } from "./texts.js";
import { usePageTitle } from "./page_title.js";

const ORDER_STATUSES = { 1: "submitted", 2: "confirmed", 3: "delivered", 4: "cancelled" };
const OFFSET = /(Z|[+-]\d\d:\d\d)$/;

export function TaskPage({ taskId, query }) {
  const [{ page, failure }, soon] = useTaskState(taskId);
  usePageTitle(page ? `${nameOf(page.task)} #${taskId}` : t("task_number", { id: taskId }));
  return html`<p><a href="/">← ${t("to_task_centre")}</a></p>
    <h1 tabindex="-1">${page ? html`${nameOf(page.task)} <span class="quiet">#${taskId}</span>` : t("task_number", { id: taskId })}</h1>
    ${failure && html`<p class="notice bad" role="alert">${failure.status === 404 ? t("no_such_task") : failure.message}</p>`}
    ${!page && !failure && html`<p class="notice">${t("loading")}</p>`}
    ${page &&
    html`<${TaskSummary} task=${page.task} onChange=${soon} />
      ${isImport(page.task) && hasEnded(page.task) && page.task.counts.total !== undefined &&
      html`<${OpenRows} key=${page.task.run_count} task=${page.task} isOpen=${query.rows === "open"} onChange=${soon} />`}
      <${Timeline} task=${page.task} runs=${page.runs} />
      <${Facts} title=${t("input")} facts=${page.input} />
      <${Facts} title=${t("result")} facts=${page.result} />
      <${ProfileSection} task=${page.task} />`}`;
}

/** The fields of an input or a result that people know by a name, and everything as it stands for those who ask. */
function Facts({ title, facts }) {
  if (facts === null || facts === undefined) {
    return null;
  }
  const known = typeof facts === "object" ? namedFacts(facts) : [];
  return html`<section>
    <h2>${title}</h2>
    ${known.length > 0 && html`<dl class="facts">${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`}
    <details>
      <summary>${t("as_it_stands")}</summary>
      <pre tabindex="0" role="region" aria-label=${title}>${JSON.stringify(facts, null, 2)}</pre>
    </details>
  </section>`;
}

function namedFacts(facts) {
  const flat = Object.entries(facts).flatMap(([name, value]) =>
    value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [[name, value]],
  );
  return flat
    .filter(([, value]) => value !== null && value !== "" && typeof value !== "object")
    .map(([name, value]) => [textOf(`fact_${name}`), shown(name, value)])
    .filter(([name]) => name);
}

function shown(name, value) {
  if (name === "query_type") {
    return t({ 1: "by_order_date", 2: "by_cycle", 3: "by_receive_date" }[value] ?? "any");
  }
  if (name === "status") {
    return textOf(`order_${ORDER_STATUSES[value]}`) ?? String(value);
  }
  if (name.endsWith("_time")) {
    return OFFSET.test(value) ? formatTime(value) : formatClock(value);
  }
  return (name === "format" && textOf(`format_${value}`)) || (typeof value === "number" ? formatNumber(value) : String(value));
}
