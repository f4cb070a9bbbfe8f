// The list of tasks: one element a task, kept and changed in place so that focus and open tables stay.

import { post } from "./api.js";
import { make, say, sayFailure, setText } from "./dom.js";
import { FailedRows } from "./failed_rows.js";
import { recall } from "./submissions.js";
import { formatSize, formatTime, t } from "./texts.js";

const KINDS = ["business_import", "business_export", "business_process"];
const MARKS = { 1: "○", 2: "◐", 3: "✓", 4: "◑", 5: "✗" };
const TONES = { 1: "", 2: "", 3: "good", 4: "warn", 5: "bad" };
// What this service submits is named in the reader's language, the rest as it was submitted.
const BUSINESSES = { 1: "order_export", 2: "order_import" };
const hasEnded = (task) => task.status >= 3;
const wasStopped = (task) => hasEnded(task) && task.reason_code === "closed";

export class TaskList {
  constructor(element, onChange) {
    this.element = element;
    this.onChange = onChange;
    this.rows = new Map();
    this.empty = document.getElementById("empty");
    this.hideEnded = document.getElementById("hide-ended");
    this.announcer = document.getElementById("announcer");
  }

  activeIds() {
    return [...this.rows.values()].filter((row) => !hasEnded(row.task)).map((row) => row.task.task_id);
  }

  endedIds() {
    return [...this.rows.values()].filter((row) => hasEnded(row.task)).map((row) => row.task.task_id);
  }

  /** Show exactly these tasks, in this order. */
  replace(tasks) {
    const wanted = new Set(tasks.map((task) => task.task_id));
    for (const [id, row] of this.rows) {
      if (!wanted.has(id)) {
        row.element.remove();
        this.rows.delete(id);
      }
    }
    tasks.forEach((task, place) => {
      const row = this.rows.get(task.task_id) ?? this.add(task);
      if (this.element.children[place] !== row.element) {
        this.element.insertBefore(row.element, this.element.children[place] ?? null);
      }
    });
    this.update(tasks);
  }

  /** Change the tasks that are shown; return whether one of them has just ended. */
  update(tasks) {
    const known = tasks.filter((task) => this.rows.has(task.task_id));
    const ended = known.filter((task) => hasEnded(task) && !hasEnded(this.rows.get(task.task_id).task));
    known.forEach((task) => this.rows.get(task.task_id).show(task));
    ended.forEach((task) => this.announce(task));
    this.empty.hidden = this.rows.size > 0;
    this.hideEnded.hidden = this.endedIds().length === 0;
    return ended.length > 0;
  }

  add(task) {
    const row = new TaskRow(task, this.onChange);
    this.rows.set(task.task_id, row);
    return row;
  }

  announce(task) {
    setText(this.announcer, t("ended_announcement", { name: nameOf(task), state: stateOf(task) }));
  }
}

class TaskRow {
  constructor(task, onChange) {
    this.task = task;
    this.onChange = onChange;
    this.name = make("span", { class: "name" });
    this.state = make("span", { class: "state" });
    this.progress = make("progress", { max: 100 });
    this.facts = make("p", { class: "facts quiet" });
    this.reason = make("p", { class: "reason" });
    this.actions = make("div", { class: "actions" });
    this.message = make("p", { class: "message", role: "alert" });
    this.failedRows = new FailedRows();
    this.element = make(
      "li",
      { class: "task panel" },
      make("div", { class: "head" }, this.name, this.state),
      this.progress,
      this.facts,
      this.reason,
      this.actions,
      this.message,
      this.failedRows.element,
    );
    this.link = make("a", {}, t("download"));
    this.stop = make("button", { type: "button", onclick: () => this.askToStop() }, t("stop"));
    this.hide = make("button", { type: "button", onclick: () => this.act("/task/clear_show", this.ids()) }, t("hide"));
    this.actions.append(this.link, this.failedRows.button, this.stop, this.hide);
    this.show(task);
  }

  show(task) {
    this.task = task;
    const name = nameOf(task);
    const percent = task.progress === null ? "" : ` ${task.progress} %`;
    setText(this.name, `${name} · #${task.task_id}`);
    const mark = wasStopped(task) ? "■" : MARKS[task.status];
    setText(this.state, `${mark} ${stateOf(task)}${task.status === 2 ? percent : ""}`);
    this.state.className = `state ${wasStopped(task) ? "" : TONES[task.status]}`.trim();
    this.progress.hidden = task.status !== 2;
    this.progress.value = task.progress ?? 0;
    this.progress.setAttribute("aria-label", t("progress_of", { name }));
    setText(this.facts, factsOf(task));
    setText(this.reason, task.reason ?? "");
    this.reason.hidden = !task.reason;
    this.link.hidden = !task.link;
    if (task.link) {
      this.link.href = task.link;
    }
    this.stop.hidden = hasEnded(task);
    this.hide.hidden = !hasEnded(task);
    for (const action of [this.link, this.stop, this.hide]) {
      action.setAttribute("aria-label", `${action.textContent}: ${name} #${task.task_id}`);
    }
    this.failedRows.show(task, `${name} #${task.task_id}`);
  }

  ids() {
    return { task_ids: [this.task.task_id] };
  }

  askToStop() {
    setText(this.stop, t("stop_asked"));
    this.act("/async_task/close", { task_id: this.task.task_id });
  }

  async act(path, body) {
    const buttons = [this.stop, this.hide];
    buttons.forEach((button) => (button.disabled = true));
    try {
      await post(path, body);
      say(this.message, "");
      this.onChange();
    } catch (error) {
      setText(this.stop, t("stop"));
      sayFailure(this.message, error);
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  }
}

function stateOf(task) {
  return wasStopped(task) ? t("state_stopped") : t(`state_${task.status}`);
}

function nameOf(task) {
  const known = BUSINESSES[task.business_id];
  const business = known ? t(known) : task.business_name || t(KINDS[task.type] ?? "business_process");
  const file = task.file_name ?? recall(task.task_id).fileName;
  return file ? t("business_of_file", { business, file }) : business;
}

function factsOf(task) {
  const { counts } = task;
  const facts = [t("created_at", { time: formatTime(task.create_time) })];
  if (task.end_time) {
    facts.push(t("ended_at", { time: formatTime(task.end_time) }));
  }
  if (counts.bytes !== undefined) {
    facts.push(t("file_facts", { rows: counts.rows ?? "–", size: formatSize(counts.bytes) }));
  }
  if (counts.total !== undefined) {
    facts.push(t("import_facts", { created: counts.created ?? 0, failed: counts.failed ?? 0, total: counts.total }));
  }
  if (counts.not_attempted) {
    facts.push(t("not_attempted", { count: counts.not_attempted }));
  }
  return facts.join(" · ");
}
