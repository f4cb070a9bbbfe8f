// The station's workflow jobs: filtered by the address, created from a plugin.

import { addressWith, go } from "./address.js";
import { JobForm } from "./job_form.js";
import { useJobAnswers } from "./job_state.js";
import { jobMark, jobState, jobTone, seconds } from "./job_words.js";
import { usePageTitle } from "./page_title.js";
import { html } from "./preact.js";
import { formatClock, t } from "./texts.js";

const PAGE_ROWS = 20;
const STATES = ["started", "finished", "failed"];

export function JobsPage({ query }) {
  usePageTitle(t("jobs"));
  const page = Math.max(Number(query.page) || 1, 1);
  const filters = { job_status: query.job_status, job_type: query.job_type, job_name: query.job_name && `%${query.job_name}%` };
  const [answers, failure, soon] = useJobAnswers(
    [
      ["list_jobs", { ...filters, page_index: page, page_size: PAGE_ROWS }],
      ["list_plugins", {}],
    ],
    ([jobs]) => jobs.data.list.every((job) => job.job_status !== "started"),
  );
  const [jobs, plugins] = answers?.map((answer) => answer.data) ?? [];
  const set = (changes) => go(addressWith({ page: "", ...changes }), { replace: true });
  return html`<h1 tabindex="-1">${t("jobs")}</h1>
    ${plugins && html`<details class="panel" id="new-job"><summary>${t("new_job")}</summary><${JobForm} plugins=${plugins.list} onCreated=${soon} /></details>`}
    <form class="filters jobs" role="search" aria-label=${t("filter_jobs")} onSubmit=${(event) => event.preventDefault()}>
      <label>${t("job_name")}<input type="search" value=${query.job_name ?? ""} maxlength="60" onChange=${(event) => set({ job_name: event.target.value.trim() })} /></label>
      <label>${t("filter_state")}${choice("job_status", STATES.map((state) => [state, jobState(state)]), query, set)}</label>
      <label>${t("job_type")}${choice("job_type", (plugins?.list ?? []).map(({ job_type: name }) => [name, name]), query, set)}</label>
    </form>
    <div role="status">${failure && html`<p class="notice bad">${failure.message}</p>`}</div>
    ${!answers && !failure && html`<p class="notice">${t("loading")}</p>`}
    ${jobs?.total === 0 && html`<p class="notice">${t("no_jobs")}</p>`}
    ${jobs?.total > 0 && html`<${Jobs} jobs=${jobs.list} />`}
    <p class="pager">
      ${page > 1 && html`<a class="button" href=${addressWith({ page: page - 1 })}>${t("newer")}</a>`}
      ${jobs && page * PAGE_ROWS < jobs.total && html`<a class="button" href=${addressWith({ page: page + 1 })}>${t("older")}</a>`}
    </p>`;
}

function Jobs({ jobs }) {
  const heads = ["job_name", "job_type", "filter_state", "submitted_by", "created_time", "job_cost"];
  return html`<div class="scroll whole" tabindex="0" role="region" aria-label=${t("jobs")}><table class="failing">
    <thead><tr>${heads.map((key) => html`<th scope="col">${t(key)}</th>`)}</tr></thead>
    <tbody>
      ${jobs.map(
        (job) => html`<tr key=${job.job_id}>
          <th scope="row" data-label=${t("job_name")}><a href=${`/jobs/${job.job_id}`}>${job.job_name}</a></th>
          <td data-label=${t("job_type")}>${job.job_type}</td>
          <td data-label=${t("filter_state")} class=${jobTone(job.job_status)}>
            <span><span aria-hidden="true">${jobMark(job.job_status)}</span> ${jobState(job.job_status)}${job.job_status === "failed" && ` · ${job.ret_stat}`}</span>
          </td>
          <td data-label=${t("submitted_by")}>${job.operator}</td>
          <td data-label=${t("created_time")}>${formatClock(job.c_time)}</td>
          <td data-label=${t("job_cost")}>${job.job_status === "started" ? "" : seconds(job.job_cost)}</td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}

function choice(name, options, query, set) {
  // Made anew when its options come: a choice that isn't among them yet is not taken.
  return html`<select key=${options.length} name=${name} value=${query[name] ?? ""} onChange=${(event) => set({ [name]: event.target.value })}>
    <option value="">${t("any")}</option>
    ${options.map(([value, label]) => html`<option value=${value} selected=${value === query[name]}>${label}</option>`)}
  </select>`;
}
