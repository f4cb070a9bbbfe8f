// One workflow job: its graph in live state colours, each task's parameters and result, when what ran, retry and delete.

import { askJobs } from "./api.js";
import { go } from "./address.js";
import { ActButton, Message, useActing } from "./acting.js";
import { JobGantt } from "./job_gantt.js";
import { JobGraph } from "./job_graph.js";
import { JobTask } from "./job_task.js";
import { useJobAnswers } from "./job_state.js";
import { jobMark, jobState, jobTone, seconds } from "./job_words.js";
import { usePageTitle } from "./page_title.js";
import { html, useState } from "./preact.js";
import { Raw } from "./raw.js";
import { formatClock, t } from "./texts.js";

export function JobPage({ jobId }) {
  const [answers, failure, soon] = useJobAnswers(
    [
      ["get_job_detail", { job_id: Number(jobId) }],
      ["list_tasks", { job_id: Number(jobId) }],
      ["list_runs", { job_id: Number(jobId) }],
    ],
    // A failed job's other tasks go on to their ends.
    ([{ data: job }, , { data: runs }]) => job.job_status !== "started" && runs.list.every((run) => run.end_time),
  );
  const [label, setLabel] = useState(null);
  const [job, tasks, runs] = answers ? [answers[0].data, answers[1].data.list, answers[2].data.list] : [null, [], []];
  usePageTitle(job ? job.job_name : t("job_number", { id: jobId }));
  const task = tasks.find((each) => each.task_label === label);
  return html`<p><a href="/jobs">← ${t("to_jobs")}</a></p>
    <h1 tabindex="-1">${job ? job.job_name : t("job_number", { id: jobId })}</h1>
    ${failure && html`<p class="notice bad" role="alert">${failure.stat === "ERR_JOB_NOT_EXIST" ? t("no_such_job") : failure.message}</p>`}
    ${!job && !failure && html`<p class="notice">${t("loading")}</p>`}
    ${job &&
    html`<${JobSummary} job=${job} onChange=${soon} />
      <section aria-labelledby="graph-title"><h2 id="graph-title">${t("graph")}</h2><${JobGraph} tasks=${tasks} chosen=${label} onChoose=${setLabel} /></section>
      <div aria-live="polite">${task && html`<${JobTask} key=${task.task_id} task=${task} mark=${JSON.stringify(runs.filter((run) => run.task_id === task.task_id))} />`}</div>
      <section aria-labelledby="gantt-title"><h2 id="gantt-title">${t("timeline")}</h2><${JobGantt} tasks=${tasks} runs=${runs} /></section>
      <${Raw} title=${t("job_extra")} value=${job.job_extra} />
      <${Raw} title=${t("result")} value=${job.ret_data} />`}`;
}

function JobSummary({ job, onChange }) {
  const [run, busy, message] = useActing();
  const retry = () =>
    run(async () => {
      await askJobs("retry_job", { job_id: job.job_id });
      onChange();
    });
  const remove = () =>
    confirm(t("delete_job_sure", { name: job.job_name })) &&
    run(async () => {
      await askJobs("delete_job", { job_id: job.job_id });
      go("/jobs", { replace: true });
    });
  const facts = [job.job_type, job.operator, formatClock(job.c_time), job.job_tags, job.job_status === "started" ? "" : seconds(job.job_cost)];
  return html`<div class="summary panel">
    <p class=${`state ${jobTone(job.job_status)}`} role="status"><span aria-hidden="true">${jobMark(job.job_status)}</span> ${jobState(job.job_status)}${job.job_status === "failed" && ` · ${job.ret_stat}`}</p>
    <p class="quiet">${facts.filter(Boolean).join(" · ")}</p>
    <div class="actions">
      ${job.job_status === "failed" && html`<${ActButton} class="primary" busy=${busy} onClick=${retry}>${t("retry_job")}<//>`}
      <${ActButton} busy=${busy} onClick=${remove}>${t("delete_job")}<//>
    </div>
    <${Message} message=${message} />
  </div>`;
}
