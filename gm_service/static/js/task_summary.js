// What goes on with one task: its state, progress, time and reason, and what can be done about it.

import { post } from "./api.js";
import { ActButton, Message, useActing } from "./acting.js";
import { html } from "./preact.js";
import { useNow } from "./task_list.js";
import { hasEnded, isOrderExport, isStalled, markOf, nameOf, stateOf, timeOf, toneOf, workOf } from "./task_words.js";
import { t } from "./texts.js";

export function TaskSummary({ task, onChange }) {
  const now = useNow(!hasEnded(task));
  const name = `${nameOf(task)} #${task.task_id}`;
  return html`<div class="summary panel">
    <p class=${`state ${toneOf(task)}`} role="status">
      <span aria-hidden="true">${markOf(task)}</span> ${stateOf(task)}${task.status === 2 && task.progress !== null && ` ${task.progress} %`}
    </p>
    ${!hasEnded(task) && html`<progress max="100" value=${task.progress ?? 0} aria-label=${t("progress_of", { name })}></progress>`}
    <p>${workOf(task)}</p>
    <p class=${isStalled(task, now) ? "warn" : "quiet"}>${timeOf(task, now)}</p>
    ${task.reason && html`<p class=${`reason notice ${toneOf(task)}`}>${task.reason}</p>`}
    <${Actions} task=${task} onChange=${onChange} />
  </div>`;
}

function Actions({ task, onChange }) {
  const [run, busy, message] = useActing();
  const act = (path, body) =>
    run(async () => {
      await post(path, body);
      onChange();
    });
  return html`<div class="actions">
      ${task.link && html`<a class="button primary" href=${task.link}>${t("download")}</a>`}
      ${hasEnded(task) && isOrderExport(task) && html`<a class="button" href=${`/export?from=${task.task_id}`}>${t("run_again")}</a>`}
      ${!hasEnded(task) &&
      html`<${ActButton} busy=${busy || task.stop_requested} onClick=${() => act("/async_task/close", { task_id: task.task_id })}>${t("stop")}<//>`}
    </div>
    <${Message} message=${message} />`;
}
