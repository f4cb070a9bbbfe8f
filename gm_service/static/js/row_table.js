// A table of rows with what is wrong with each; on narrow screens each row becomes a block (app.css).

import { make, setText } from "./dom.js";
import { columnTitle, t } from "./texts.js";

const SHOWN = {
  row: (row) => (row.sheet_row ? t("line_of_file", { line: String(row.sheet_row) }) : String(row.index + 1)),
  row_state: (row) => (row.attempt > 1 ? t("row_failed_again", { attempt: row.attempt }) : t(`row_${row.state}`)),
  order: (row) => row.order?.order_no,
  column: (row) => row.column && columnTitle(row.column),
  value: (row) => row.value,
  reason: (row) => row.reason,
};

export class RowTable {
  /** `columns` are names of SHOWN, the first of which heads its row. */
  constructor(columns) {
    this.columns = columns;
    this.caption = make("caption", { class: "unseen" });
    this.body = make("tbody");
    const heads = columns.map((key) => make("th", { scope: "col", class: key }, t(key)));
    const table = make("table", { class: "rows" }, this.caption, make("thead", {}, make("tr", {}, ...heads)), this.body);
    this.element = make("div", { class: "scroll", tabindex: "0", role: "group", hidden: true }, table);
  }

  name(text) {
    setText(this.caption, text);
    this.element.setAttribute("aria-label", text);
  }

  /** Show these rows and no others. */
  replace(rows) {
    this.body.replaceChildren(...rows.map((row) => this.makeRow(row)));
    this.element.hidden = rows.length === 0;
  }

  append(rows) {
    this.body.append(...rows.map((row) => this.makeRow(row)));
  }

  makeRow(row) {
    const cells = this.columns.map((key, place) =>
      make(place ? "td" : "th", { scope: place ? null : "row", class: key, "data-label": t(key) }, SHOWN[key](row) ?? ""),
    );
    return make("tr", {}, ...cells);
  }
}
