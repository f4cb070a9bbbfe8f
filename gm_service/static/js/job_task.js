// One task of a job, as its node in the graph opens it: parameters, result, each run with its time and what it logged.

import { useJobAnswers } from "./job_state.js";
import { jobState, seconds } from "./job_words.js";
import { html } from "./preact.js";
import { Raw } from "./raw.js";
import { runState } from "./task_words.js";
import { formatInstant, formatTime, t } from "./texts.js";

/** `mark` is another text whenever a run of the task began or was over. */
export function JobTask({ task, mark }) {
  const named = { job_id: task.job_id, task_id: task.task_id };
  const [answers, failure] = useJobAnswers([["list_runs", named]], () => true, [mark]);
  const runs = answers?.[0].data.list ?? [];
  const facts = [
    ["filter_state", jobState(task.task_status)],
    ["handler", task.task_cmd],
    ["ret_stat", task.ret_stat],
    ["job_cost", seconds(task.task_cost)],
    ["retries", `${task.task_retrycount} / ${task.task_retrymax}`],
  ].filter(([, value]) => value);
  return html`<section class="panel" id="task-detail">
    <h2>${task.task_label}</h2>
    <dl class="facts">${facts.map(([key, value]) => html`<div><dt>${t(key)}</dt><dd>${value}</dd></div>`)}</dl>
    <${Raw} title=${t("parameters")} value=${task.task_params} isOpen=${true} />
    <${Raw} title=${t("result")} value=${task.ret_data} isOpen=${true} />
    ${failure && html`<p class="notice bad" role="alert">${failure.message}</p>`}
    ${runs.map((run) => html`<${Run} key=${run.run_count} run=${run} />`)}
  </section>`;
}

function Run({ run }) {
  const moments = [
    ["step_sent", run.sent_time],
    ["step_started", run.start_time],
    ["step_ended", run.end_time],
  ].filter(([, moment]) => moment);
  return html`<section class="run">
    <h3>${t("run_number", { number: run.run_count })} <span class="quiet">${runState(run)}</span></h3>
    <p class="quiet">${moments.map(([key, moment]) => `${t(key)} ${formatTime(moment)}`).join(" · ")}</p>
    ${run.end_time && html`<${Log} lines=${run.log} />`}
  </section>`;
}

function Log({ lines }) {
  if (!lines) {
    return html`<p class="quiet">${t("no_log")}</p>`;
  }
  return html`<details open>
    <summary>${t("log")}</summary>
    <div class="log" tabindex="0" role="region" aria-label=${t("log")}>
      <ol>${lines.map((line) => html`<li class=${line.level}><time datetime=${line.at}>${formatInstant(line.at)}</time> <span>${line.level}</span> <code>${line.text}</code></li>`)}</ol>
    </div>
  </details>`;
}
