// The list of tasks: one element a task, kept and changed in place so that focus and open tables stay.

import { post } from "./api.js";
import { make, oneAtATime, say, setHidden, setText } from "./dom.js";
import { OpenRows } from "./open_rows.js";
import { formatSize, formatTime, t } from "./texts.js";

const KINDS = ["business_import", "business_export", "business_process"];
const MARKS = { 1: "○", 2: "◐", 3: "✓", 4: "◑", 5: "✗" };
const TONES = { 1: "", 2: "", 3: "good", 4: "warn", 5: "bad" };
// What this service submits is named in the reader's language, the rest as it was submitted.
const BUSINESSES = { 1: "order_export", 2: "order_import" };
// What these reasons say stands on the button that opens the rows.
const SAID_BY_ROWS = ["rows_failed", "rows_open"];
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
    this.message = make("p", { class: "message", role: "alert" });
    this.outcome = make("p", { class: "message", role: "status" });
    this.openRows = new OpenRows(task.task_id, (text, tone) => this.wereRun(text, tone));
    this.link = make("a", {}, t("download"));
    this.stop = make("button", { type: "button" }, t("stop"));
    this.hide = make("button", { type: "button" }, t("hide"));
    const act = oneAtATime([this.stop, this.hide], this.message, (event) => this.act(event.currentTarget));
    this.stop.addEventListener("click", act);
    this.hide.addEventListener("click", act);
    this.element = make(
      "li",
      { class: "task panel", tabindex: "-1" },
      make("div", { class: "head" }, this.name, this.state),
      this.progress,
      this.facts,
      this.reason,
      make("div", { class: "actions" }, this.link, this.openRows.button, this.stop, this.hide),
      this.message,
      this.outcome,
      this.openRows.element,
    );
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
    this.reason.hidden = !task.reason || SAID_BY_ROWS.includes(task.reason_code);
    this.link.hidden = !task.link;
    if (task.link) {
      this.link.href = task.link;
    }
    setHidden(this.hide, !hasEnded(task), this.element);
    setHidden(this.stop, hasEnded(task), this.hide);
    for (const action of [this.link, this.stop, this.hide]) {
      action.setAttribute("aria-label", `${action.textContent}: ${name} #${task.task_id}`);
    }
    this.openRows.show(task, `${name} #${task.task_id}`);
  }

  async act(button) {
    const taskId = this.task.task_id;
    say(this.message, "");
    if (button === this.hide) {
      await post("/task/clear_show", { task_ids: [taskId] });
    } else {
      setText(this.stop, t("stop_asked"));
      await post("/async_task/close", { task_id: taskId }).catch((error) => {
        setText(this.stop, t("stop"));
        throw error;
      });
    }
    this.onChange();
  }

  wereRun(text, tone) {
    if (text) {
      say(this.outcome, text, tone);
    }
    this.onChange();
  }
}

function stateOf(task) {
  return wasStopped(task) ? t("state_stopped") : t(`state_${task.status}`);
}

function nameOf(task) {
  const known = BUSINESSES[task.business_id];
  const business = known ? t(known) : task.business_name || t(KINDS[task.type] ?? "business_process");
  return task.file_name ? t("business_of_file", { business, file: task.file_name }) : business;
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
  // While it runs they are simply those that are still to come.
  if (counts.not_attempted && hasEnded(task)) {
    facts.push(t("not_attempted", { count: counts.not_attempted }));
  }
  return facts.join(" · ");
}
