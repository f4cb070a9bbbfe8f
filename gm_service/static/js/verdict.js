// The verdict of a check: how many rows would be created, what of the file was not read, which rows would fail and why.

import { make, say } from "./dom.js";
import { RowTable } from "./row_table.js";
import { formatAmount, t } from "./texts.js";

const MOST_SHOWN = 300;

export class Verdict {
  constructor(element) {
    this.notes = make("ul", { class: "quiet notes" });
    this.table = new RowTable(["row", "column", "value", "reason"]);
    this.table.name(t("rows_that_would_fail"));
    this.rest = make("p", { class: "quiet", hidden: true });
    element.append(this.notes, this.table.element, this.rest);
    this.element = element;
  }

  /** Show what a check answered; the sentence goes into `message`, which is read aloud. */
  show(checked, message) {
    const good = checked.failed === 0;
    say(message, sentenceOf(checked), good ? "good" : checked.created ? "warn" : "bad");
    this.notes.replaceChildren(...notesOf(checked).map((note) => make("li", {}, note)));
    this.table.replace(checked.rows.slice(0, MOST_SHOWN));
    this.rest.hidden = checked.rows.length <= MOST_SHOWN;
    this.rest.textContent = t("first_rows_shown", { count: MOST_SHOWN, total: checked.rows.length });
    this.element.hidden = false;
  }

  hide() {
    this.element.hidden = true;
  }
}

function sentenceOf({ total, created, failed }) {
  if (failed === 0) {
    return t("check_good", { total });
  }
  return created ? t("check_some", { total, created, failed }) : t("check_none", { total });
}

function notesOf({ created, lines, amount, file }) {
  const notes = created ? [t("check_totals", { lines, amount: formatAmount(amount) })] : [];
  if (file?.sheet_name) {
    notes.push(t("check_sheet", { name: file.sheet_name }));
  }
  if (file?.other_sheets.length) {
    notes.push(t("check_other_sheets", { names: listed(file.other_sheets) }));
  }
  if (file?.encoding) {
    notes.push(t("check_encoding", { encoding: file.encoding.toUpperCase() }));
  }
  if (file?.ignored_columns.length) {
    notes.push(t("check_ignored", { names: listed(file.ignored_columns) }));
  }
  return notes;
}

function listed(names) {
  return names.join(t("list_comma"));
}
