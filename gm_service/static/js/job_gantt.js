// When which task of a job ran, each of its runs a bar on one scale; the same figures stand beside them as text.

import { html } from "./preact.js";
import { jobMark, jobState, seconds } from "./job_words.js";
import { useNow } from "./task_list.js";
import { formatTime, t } from "./texts.js";

export function JobGantt({ tasks, runs }) {
  const now = useNow(runs.some((run) => !run.end_time));
  const spans = runs.filter((run) => run.start_time).map((run) => spanOf(run, now));
  if (spans.length === 0) {
    return html`<p class="quiet">${t("nothing_began")}</p>`;
  }
  const first = Math.min(...spans.map((span) => span.start));
  const last = Math.max(...spans.map((span) => span.end), first + 1);
  const share = (length) => `${(100 * length) / (last - first)}%`;
  return html`<p class="quiet">${t("from_to", { from: formatTime(first), to: formatTime(last), time: seconds((last - first) / 1000) })}</p>
    <ol class="gantt">
      ${tasks.map((task) => {
        const own = spans.filter((span) => span.run.task_id === task.task_id);
        return html`<li key=${task.task_label}>
          <span><span aria-hidden="true">${jobMark(task.task_status)}</span> ${task.task_label}</span>
          <span class="track">${own.map(
            ({ run, start, end }) => html`<span class=${`span ${toneOf(run)}`} style=${{ left: share(start - first), width: share(end - start) }}></span>`,
          )}</span>
          <span class="quiet">${own.length ? lengthOf(own) : jobState(task.task_status)}</span>
        </li>`;
      })}
    </ol>`;
}

function spanOf(run, now) {
  const start = Date.parse(run.start_time);
  return { run, start, end: Math.max(run.end_time ? Date.parse(run.end_time) : now, start) };
}

function toneOf(run) {
  return !run.end_time ? "started" : run.status === 1 || run.status === 5 ? "failed" : "finished";
}

function lengthOf(spans) {
  const ran = seconds(spans.reduce((sum, { start, end }) => sum + end - start, 0) / 1000);
  return spans.length > 1 ? t("in_runs", { time: ran, count: spans.length }) : ran;
}
