// What happened to a task when: submitted, sent to the workers, each run and how it was over, with the time between.

import { html } from "./preact.js";
import { runState, stateOf } from "./task_words.js";
import { formatDuration, formatTime, t } from "./texts.js";

const WAITS_AGAIN = 1;
// Of a task with many runs the last ones are read; the others are there for those who ask.
const MOST_RUNS = 6;
const LATEST_RUNS = 3;

export function Timeline({ task, runs }) {
  const steps = stepsOf(task, runs);
  const folded = runs.length > MOST_RUNS ? runs.length - LATEST_RUNS : 0;
  const end = folded && steps.findIndex(({ run }) => run === runs[folded]);
  const shown = (from, to) => steps.slice(from, to).map((step, place) => html`<${Step} step=${step} before=${steps[from + place - 1]} />`);
  return html`<section aria-labelledby="timeline-title">
    <h2 id="timeline-title">${t("timeline")}</h2>
    <ol class="timeline">
      ${shown(0, 1)}
      ${folded > 0 && html`<li><details><summary>${t("earlier_runs", { count: folded })}</summary><ol>${shown(1, end)}</ol></details></li>`}
      ${shown(folded ? end : 1)}
    </ol>
  </section>`;
}

function Step({ step: { name, moment, note }, before }) {
  return html`<li>
    <strong>${name}</strong> <time datetime=${moment}>${formatTime(moment)}</time>
    ${before && html` <span class="quiet">+${formatDuration(Date.parse(moment) - Date.parse(before.moment))}</span>`} ${note && html` <span class="quiet">${note}</span>`}
  </li>`;
}

/** Return the steps, each `{ name, moment, note, run }`, in the order in which they happened. */
function stepsOf(task, runs) {
  const by = task.submitted_by ? t("by_person", { name: task.submitted_by }) : "";
  const steps = [{ name: t("step_submitted"), moment: task.create_time, note: by }];
  const isOne = runs.length === 1 && runs[0].run_count === 1 && runs[0].status !== WAITS_AGAIN;
  for (const run of runs) {
    const sent = sentBetween(steps.at(-1).moment, run);
    steps.push({ name: t("step_sent"), moment: sent, run });
    steps.push({ name: isOne ? t("step_started") : t("step_run", { number: run.run_count }), moment: run.start_time, run });
    // The last run's end is the task's own.
    if (run.end_time && (run !== runs.at(-1) || run.status === WAITS_AGAIN)) {
      steps.push({ name: t("step_run_over", { number: run.run_count }), moment: run.end_time, note: runState(run), run });
    }
  }
  steps.push({ name: t("step_ended"), moment: task.end_time, note: task.end_time ? endOf(task, runs.at(-1)) : "" });
  return steps.filter(({ moment }) => moment);
}

/** Return how a task ended; a row that was corrected afterwards may have changed what it is now. */
function endOf(task, last) {
  const isChanged = last?.end_time && last.status > WAITS_AGAIN && last.status !== task.status;
  return isChanged ? t("ended_then_corrected", { then: stateOf(last), state: stateOf(task) }) : stateOf(task);
}

/** Return when a run's message was sent, by a clock that may differ from the others a little: never out of order. */
function sentBetween(before, { sent_time: sent, start_time: begun }) {
  if (!sent || !begun) {
    return null;
  }
  const moment = Math.min(Math.max(Date.parse(sent), Date.parse(before)), Date.parse(begun));
  return new Date(moment).toISOString();
}
