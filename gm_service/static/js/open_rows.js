// The rows of an ended import that became no orders: opened from its task, looked at page by page, corrected here.

import { get } from "./api.js";
import { Corrections } from "./corrections.js";
import { make, oneAtATime, say, setHidden, setText } from "./dom.js";
import { RowTable } from "./row_table.js";
import { t } from "./texts.js";

const PAGE_ROWS = 200;
const MOST_AT_ONCE = 1000;

export class OpenRows {
  /** `onRun(text, tone)` is called after rows were run again; without a text where that broke off. */
  constructor(taskId, onRun) {
    const id = `open-rows-${taskId}`;
    this.taskId = taskId;
    this.onRun = onRun;
    this.shown = 0;
    this.last = -1;
    this.button = make("button", { type: "button", class: "toggle", hidden: true, "aria-controls": id });
    this.message = make("p", { class: "message", role: "status" });
    this.table = new RowTable(["row", "row_state", "order", "column", "value", "reason"]);
    this.more = make("button", { type: "button", hidden: true });
    this.corrections = new Corrections((text, tone) => this.wereRun(text, tone));
    const parts = [this.corrections.element, this.message, this.table.element, this.more];
    this.element = make("section", { id, class: "open-rows", hidden: true }, ...parts);
    this.load = oneAtATime([this.more], this.message, () => this.reload());
    this.button.addEventListener("click", () => this.toggle(this.element.hidden));
    this.more.addEventListener("click", oneAtATime([this.more], this.message, () => this.showMore()));
    this.toggle(false);
  }

  /** Follow the task; where it has no such rows, or none yet, nothing is offered. */
  show(task, name) {
    const { total, failed = 0, not_attempted: waiting = 0 } = task.counts;
    const isOffered = task.status >= 4 && failed + waiting > 0;
    this.count = failed + waiting;
    this.corrections.show(task, name);
    if (isOffered) {
      const title = t("open_rows_of", { name });
      setText(this.button, waiting ? t("rows_open", { failed, waiting, total }) : t("rows_failed", { failed, total }));
      this.button.setAttribute("aria-label", `${this.button.textContent}: ${name}`);
      this.element.setAttribute("aria-label", title);
      this.table.name(title);
      this.offerMore();
    } else if (!this.element.hidden) {
      this.toggle(false);
    }
    setHidden(this.button, !isOffered, this.element.closest("li"));
  }

  toggle(isOpen) {
    setHidden(this.element, !isOpen, this.button);
    this.button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) {
      say(this.message, t("loading"));
      this.load();
    }
  }

  async wereRun(text, tone) {
    this.onRun(text, tone);
    if (!this.element.hidden) {
      await this.load();
    }
  }

  /** Show as many rows as were shown before, as they are now. */
  async reload() {
    const rows = await this.list(-1, Math.min(Math.max(this.shown, PAGE_ROWS), MOST_AT_ONCE));
    this.table.replace(rows);
    this.shown = 0;
    this.note(rows);
  }

  async showMore() {
    const rows = await this.list(this.last, PAGE_ROWS);
    this.table.append(rows);
    this.note(rows);
  }

  list(after, limit) {
    return get("/station/order/batch/rows", { platform_task_id: this.taskId, state: "open", after, limit });
  }

  note(rows) {
    this.shown += rows.length;
    this.last = rows.at(-1)?.index ?? this.last;
    say(this.message, "");
    this.offerMore();
  }

  offerMore() {
    setText(this.more, t("more_rows", { shown: this.shown, total: this.count }));
    setHidden(this.more, this.shown === 0 || this.shown >= this.count, this.table.element);
  }
}
