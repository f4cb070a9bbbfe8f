// The failed rows of an import: fetched when they are opened, each with its column, value and reason.

import { get } from "./api.js";
import { make, say, setText } from "./dom.js";
import { language, t } from "./texts.js";

export class FailedRows {
  constructor() {
    this.button = make("button", { type: "button", hidden: true, "aria-expanded": "false", onclick: () => this.toggle() });
    this.message = make("p", { class: "message", role: "alert" });
    this.body = make("tbody");
    this.caption = make("caption", { class: "unseen" });
    this.table = make("div", { class: "scroll", tabindex: "0", hidden: true }, this.makeTable());
    this.element = make("div", { hidden: true }, this.message, this.table);
    this.isOpen = false;
  }

  show(task, name) {
    this.taskId = task.task_id;
    this.count = task.counts.failed ?? 0;
    const offered = task.status >= 4 && this.count > 0;
    this.button.hidden = !offered;
    setText(this.caption, t("failed_rows_of", { name }));
    if (!offered && this.isOpen) {
      this.close();
    }
    this.label();
  }

  toggle() {
    if (this.isOpen) {
      this.close();
    } else {
      this.open();
    }
  }

  async open() {
    this.isOpen = true;
    this.label();
    this.element.hidden = false;
    say(this.message, t("loading"));
    try {
      const task = await get("/task/get", { task_id: this.taskId });
      const failed = task.result.rows.filter((row) => row.state === "failed");
      this.body.replaceChildren(...failed.map(makeRow));
      this.table.hidden = false;
      say(this.message, "");
    } catch (error) {
      say(this.message, error.message, "bad");
    }
  }

  close() {
    this.isOpen = false;
    this.element.hidden = true;
    this.label();
  }

  label() {
    setText(this.button, this.isOpen ? t("hide_failed_rows") : t("failed_rows", { count: this.count }));
    this.button.setAttribute("aria-expanded", String(this.isOpen));
  }

  makeTable() {
    const heads = ["row", "column", "value", "reason"].map((key) => make("th", { scope: "col" }, t(key)));
    return make("table", {}, this.caption, make("thead", {}, make("tr", {}, ...heads)), this.body);
  }
}

function makeRow(row) {
  const reason = language === "zh" ? (row.reason_zh ?? row.reason) : row.reason;
  const place = make("th", { scope: "row" }, String(row.index + 1));
  const cells = [row.column, row.value, reason].map((text) => make("td", {}, text ?? ""));
  return make("tr", {}, place, ...cells);
}
