// For operators: which runs of a task were profiled, their reports, and to have the next run profiled.

import { get, post } from "./api.js";
import { ActButton, failureMessage, Message, useActing } from "./acting.js";
import { html, useEffect, useState } from "./preact.js";
import { formatTime, language, t } from "./texts.js";

const FORBIDDEN = 403;
const WAYS = ["cprofile", "sample", "ledger", "memory"];
const seconds = new Intl.NumberFormat(language, { style: "unit", unit: "second", maximumFractionDigits: 3 });
const offered = document.querySelector('meta[name="profiling"]')?.content;
// As long as this page lives; the session says it anew to the next one.
let isKnownOperator = offered === "operator";

export function ProfileSection({ task }) {
  const [isOpen, setOpen] = useState(isKnownOperator);
  const [isOperator, setOperator] = useState(isKnownOperator);
  const know = (is) => {
    isKnownOperator = is;
    setOperator(is);
  };
  return (
    offered &&
    html`<details class="operators" open=${isOpen} onToggle=${(event) => setOpen(event.target.open)}>
      <summary>${t("profile_title")}</summary>
      ${isOpen && (isOperator ? html`<${Profiles} task=${task} onRefused=${() => know(false)} />` : html`<${KeyForm} onEntered=${() => know(true)} />`)}
    </details>`
  );
}

function KeyForm({ onEntered }) {
  const [run, busy, message] = useActing();
  const submit = (event) => {
    event.preventDefault();
    const { key } = Object.fromEntries(new FormData(event.target));
    run(async () => {
      try {
        await post("/pages/operator", { key });
      } catch (error) {
        if (error.status === FORBIDDEN) {
          return { text: t("operator_key_wrong"), tone: "bad" };
        }
        throw error;
      }
      onEntered();
    });
  };
  return html`<form onSubmit=${submit}>
    <p class="quiet">${t("operator_intro")}</p>
    <label>${t("operator_key")}<input name="key" type="password" required maxlength="256" autocomplete="off" /></label>
    <${Message} message=${message} role="alert" />
    <button type="submit" aria-disabled=${busy ? "true" : null}>${t("operator_enter")}</button>
  </form>`;
}

function Profiles({ task, onRefused }) {
  const [profiles, setProfiles] = useState(null);
  const [failure, setFailure] = useState(null);
  const [run, busy, message] = useActing();
  const refused = (error) => error.status === FORBIDDEN && onRefused();
  useEffect(() => {
    let isOver = false;
    get("/pages/profiles", { task_id: task.task_id })
      .then((found) => !isOver && (setProfiles(found), setFailure(null)))
      .catch((error) => !isOver && (refused(error), setFailure(failureMessage(error))));
    return () => {
      isOver = true;
    };
  }, [task.task_id, task.status, task.run_count]);
  if (!profiles) {
    return html`<${Message} message=${failure ?? { text: t("loading") }} />`;
  }
  const mark = (event) => {
    event.preventDefault();
    const { way } = Object.fromEntries(new FormData(event.target));
    run(async () => {
      try {
        const marked = await post("/pages/profile", { task_id: task.task_id, way });
        return { text: t(marked.of === "task" ? "profile_marked_task" : "profile_marked_function", { name: marked.function }), tone: "good" };
      } catch (error) {
        refused(error);
        throw error;
      }
    });
  };
  return html`<form onSubmit=${mark}>
      <p>${t(profiles.next.of === "task" ? "profile_next_task" : "profile_next_function", { name: profiles.next.function })}</p>
      <label>${t("profile_way")}
        <select name="way">
          ${WAYS.map((way) => html`<option value=${way}>${t(`way_${way}`)}</option>`)}
        </select>
      </label>
      <div class="actions"><${ActButton} type="submit" id="profile-next" busy=${busy}>${t("profile_next")}<//></div>
      <${Message} message=${message} />
      <${Message} message=${failure} />
    </form>
    <h2>${t("profiled_runs")}</h2>
    <${Runs} task=${task} profiles=${profiles} />`;
}

function Runs({ task, profiles }) {
  if (profiles.runs.length === 0) {
    return html`<p class="quiet">${t("profiled_none")}</p>`;
  }
  return html`<ul class="profiled">
      ${profiles.runs.map(
        (run) => html`<li>
          ${t("step_run", { number: run.run_count ?? "?" })} <time datetime=${run.started_at}>${formatTime(run.started_at)}</time>:
          ${" "}${seconds.format(run.seconds)}, ${t(`way_${run.way}`)}${run.failed ? html`, <span class="bad">${t("state_5")}</span>` : ""}${" "}
          ${profiles.has_reports &&
          html`<a href=${`/pages/profile_report?task_id=${task.task_id}&record=${encodeURIComponent(run.id)}`} target="_blank" rel="noopener">${t("profile_report")}</a>`}
        </li>`,
      )}
    </ul>
    ${!profiles.has_reports && html`<p class="quiet">${t("profile_report_elsewhere")} <code>gm profile explain ${task.task_id}</code></p>`}`;
}
