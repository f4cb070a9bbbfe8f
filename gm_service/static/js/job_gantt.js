// When which task of a job ran, as bars on one scale; the same figures stand beside them as text.

import { html } from "./preact.js";
import { jobState, momentOf, seconds } from "./job_words.js";
import { t } from "./texts.js";

export function JobGantt({ tasks }) {
  const spans = spansOf(tasks);
  const begun = spans.filter((span) => span.start !== null);
  if (begun.length === 0) {
    return html`<p class="quiet">${t("nothing_began")}</p>`;
  }
  const first = Math.min(...begun.map((span) => span.start));
  const last = Math.max(...begun.map((span) => span.end), first + 1);
  const share = (length) => `${(100 * length) / (last - first)}%`;
  return html`<ol class="gantt">
    ${spans.map(
      ({ task, start, end }) => html`<li key=${task.task_label}>
        <span>${task.task_label}</span>
        <span class="track">${start !== null && html`<span class=${`span ${task.task_status}`} style=${{ left: share(start - first), width: share(end - start) }}></span>`}</span>
        <span class="quiet">${start === null ? jobState(task.task_status) : seconds(task.task_cost)}</span>
      </li>`,
    )}
  </ol>`;
}

/** Return when each task ran, in milliseconds. The API tells whole seconds; no task began before those it depends on ended. */
function spansOf(tasks) {
  const ends = new Map();
  return tasks.map((task) => {
    const isBegun = !["waiting", "pending"].includes(task.task_status);
    const told = isBegun ? momentOf(task.s_time) : null;
    if (told === null) {
      return { task, start: null, end: null };
    }
    const before = (task.task_dependencies ?? "").split(",").map((label) => ends.get(label) ?? told);
    const start = Math.max(told, ...before);
    const last = task.task_status === "started" ? (momentOf(task.u_time) ?? start) : start;
    const end = Math.max(start + task.task_cost * 1000, last);
    ends.set(task.task_label, end);
    return { task, start, end };
  });
}
