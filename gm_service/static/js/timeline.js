// What happened to a task when: submitted, sent to the workers, each run and how it was over, with the time between.

import { html } from "./preact.js";
import { runState, stateOf } from "./task_words.js";
import { formatDuration, formatTime, t } from "./texts.js";

const WAITS_AGAIN = 1;

export function Timeline({ task, runs }) {
  const steps = stepsOf(task, runs);
  return html`<section aria-labelledby="timeline-title">
    <h2 id="timeline-title">${t("timeline")}</h2>
    <ol class="timeline">
      ${steps.map(({ name, moment, note }, place) => {
        const before = place ? Date.parse(moment) - Date.parse(steps[place - 1].moment) : null;
        return html`<li>
          <strong>${name}</strong> <time datetime=${moment}>${formatTime(moment)}</time>
          ${before !== null && html` <span class="quiet">+${formatDuration(before)}</span>`} ${note && html` <span class="quiet">${note}</span>`}
        </li>`;
      })}
    </ol>
  </section>`;
}

/** Return the steps, each `{ name, moment, note }`, in the order in which they happened. */
function stepsOf(task, runs) {
  const by = task.submitted_by ? t("by_person", { name: task.submitted_by }) : "";
  const steps = [{ name: t("step_submitted"), moment: task.create_time, note: by }];
  const isOne = runs.length === 1 && runs[0].run_count === 1 && runs[0].status !== WAITS_AGAIN;
  for (const run of runs) {
    const sent = sentBetween(steps.at(-1).moment, run);
    steps.push({ name: t("step_sent"), moment: sent });
    steps.push({ name: isOne ? t("step_started") : t("step_run", { number: run.run_count }), moment: run.start_time });
    // The last run's end is the task's own.
    if (run.end_time && (run !== runs.at(-1) || run.status === WAITS_AGAIN)) {
      steps.push({ name: t("step_run_over", { number: run.run_count }), moment: run.end_time, note: runState(run) });
    }
  }
  steps.push({ name: t("step_ended"), moment: task.end_time, note: task.end_time ? stateOf(task) : "" });
  return steps.filter(({ moment }) => moment);
}

/** Return when a run's message was sent, by a clock that may differ from the others a little: never out of order. */
function sentBetween(before, { sent_time: sent, start_time: begun }) {
  if (!sent || !begun) {
    return null;
  }
  const moment = Math.min(Math.max(Date.parse(sent), Date.parse(before)), Date.parse(begun));
  return new Date(moment).toISOString();
}
