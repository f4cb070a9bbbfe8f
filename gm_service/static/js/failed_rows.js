// The failed rows of an import: fetched when they are opened, each with its order, column, value and reason.

import { get } from "./api.js";
import { make, say, sayFailure, setText } from "./dom.js";
import { recall } from "./submissions.js";
import { t } from "./texts.js";

const COLUMNS = ["row", "order", "column", "value", "reason"];

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
    this.name = name;
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
      const failed = await get("/station/order/batch/rows", { task_id: this.taskId, state: "failed", limit: 1000 });
      this.body.replaceChildren(...failed.map(makeRow));
      this.table.hidden = false;
      say(this.message, "");
    } catch (error) {
      sayFailure(this.message, error);
    }
  }

  close() {
    this.isOpen = false;
    this.element.hidden = true;
    this.label();
  }

  label() {
    const text = this.isOpen ? t("hide_failed_rows") : t("failed_rows", { count: this.count });
    setText(this.button, text);
    this.button.setAttribute("aria-label", `${text}: ${this.name}`);
    this.button.setAttribute("aria-expanded", String(this.isOpen));
  }

  makeTable() {
    const heads = COLUMNS.map((key) => make("th", { scope: "col", class: key }, t(key)));
    return make("table", { class: "failed" }, this.caption, make("thead", {}, make("tr", {}, ...heads)), this.body);
  }
}

function makeRow(row) {
  const line = row.sheet_row ?? undefined;
  const place = line === undefined ? String(row.index + 1) : t("line_of_file", { line });
  const texts = [place, row.order?.order_no, row.column, row.value, row.reason];
  const cells = COLUMNS.map((key, number) =>
    make(number ? "td" : "th", { scope: number ? null : "row", class: key, "data-label": t(key) }, texts[number] ?? ""),
  );
  return make("tr", {}, ...cells);
}
