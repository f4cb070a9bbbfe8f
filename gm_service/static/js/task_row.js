// One task of the list, of a fixed height so that long lists can be drawn in part.

import { Component, html } from "./preact.js";
import { post } from "./api.js";
import { ActButton, failureMessage } from "./acting.js";
import { businessOf, hasEnded, isOrderExport, isStalled, markOf, nameOf, openRows, stateOf, timeOf, toneOf, workOf } from "./task_words.js";
import { formatTime, t } from "./texts.js";
import { toast } from "./toasts.js";

export class TaskRow extends Component {
  constructor() {
    super();
    this.state = { busy: false };
  }

  // Of thousands only those are drawn again that changed, or that have a clock running.
  shouldComponentUpdate(props, state) {
    return state !== this.state || Object.keys(props).some((name) => props[name] !== this.props[name]);
  }

  async act(path, body) {
    if (this.state.busy) {
      return;
    }
    this.setState({ busy: true });
    try {
      await post(path, body);
    } catch (error) {
      toast(failureMessage(error).text, "bad");
    }
    this.setState({ busy: false });
    this.props.onChange();
  }

  render({ task, now, place, count, top, isSelected, onSelect, returnTo }) {
    const name = `${nameOf(task)} #${task.task_id}`;
    const facts = [t("created_at", { time: formatTime(task.create_time) }), task.submitted_by].filter(Boolean).join(" · ");
    return html`<li
      class="task ${toneOf(task)}"
      style=${{ top: `${top}px` }}
      aria-setsize=${count}
      aria-posinset=${place + 1}
      data-task=${task.task_id}
    >
      <div class="pick">
        <input
          type="checkbox"
          aria-label=${t("select_task", { name })}
          checked=${isSelected}
          disabled=${!hasEnded(task)}
          onChange=${() => onSelect(task.task_id)}
        />
      </div>
      <div class="what">
        <p class="name">
          <a href=${`/tasks/${task.task_id}`} data-row-link>${businessOf(task)} <span class="quiet">#${task.task_id}</span></a>
        </p>
        <p class="file" title=${task.file_name}>${task.file_name}</p>
        <p class="quiet">${facts}</p>
      </div>
      <div class="how">
        <p class="state">
          <span aria-hidden="true">${markOf(task)}</span> ${stateOf(task)}${task.status === 2 && task.progress !== null && ` ${task.progress} %`}
          ${task.status === 2 &&
          html` <progress max="100" value=${task.progress ?? 0} aria-label=${t("progress_of", { name })}></progress>`}
        </p>
        <p class="quiet" title=${workOf(task) ? null : task.reason}>${workOf(task) || (hasEnded(task) && task.reason)}</p>
        <p class=${isStalled(task, now) ? "warn" : "quiet"}>${timeOf(task, now)}</p>
      </div>
      <div class="actions">${this.actions(task, name)}</div>
    </li>`;
  }

  actions(task, name) {
    const open = openRows(task);
    const { busy } = this.state;
    const label = (text) => `${text}: ${name}`;
    return [
      task.link && html`<a class="button" href=${task.link} aria-label=${label(t("download"))}>${t("download")}</a>`,
      open > 0 &&
        html`<a class="button warn" href=${`/tasks/${task.task_id}?rows=open`} aria-label=${label(t("open_rows", { count: open }))}
          >${t("open_rows", { count: open })}</a
        >`,
      hasEnded(task) &&
        isOrderExport(task) &&
        html`<a class="button" href=${`/export?from=${task.task_id}`} aria-label=${label(t("run_again"))}>${t("run_again")}</a>`,
      hasEnded(task)
        ? html`<${ActButton}
            busy=${busy}
            aria-label=${label(t("hide"))}
            onClick=${() => this.act("/task/clear_show", { task_ids: [task.task_id] })}
            >${t("hide")}<//
          >`
        : html`<${ActButton}
            busy=${busy || task.stop_requested}
            aria-label=${label(t("stop"))}
            onClick=${() => this.act("/async_task/close", { task_id: task.task_id })}
            >${t("stop")}<//
          >`,
    ];
  }
}
