// The verdict of a check: how many rows would be created, what of the file was not read, which rows would fail and why.

import { html } from "./preact.js";
import { columnTitle, formatAmount, t } from "./texts.js";

const MOST_SHOWN = 300;

/** `edits` are corrected values by `index column`; `onEdit(row, value)` is told of one. */
export function Verdict({ checked, edits, onEdit }) {
  const tone = checked.failed === 0 ? "good" : checked.created ? "warn" : "bad";
  const title = t("rows_that_would_fail");
  return html`<div class="verdict">
    <p class=${tone} role="status">${sentenceOf(checked)}</p>
    ${edits.size > 0 && html`<p>${t("corrections_go_along", { count: edits.size })}</p>`}
    <ul class="quiet notes">${notesOf(checked).map((note) => html`<li>${note}</li>`)}</ul>
    ${checked.rows.length > 0 &&
    html`<div class="scroll" tabindex="0" role="region" aria-label=${title}><table class="failing">
      <caption class="unseen">${title}</caption>
      <thead><tr>${["row", "column", "value", "reason"].map((key) => html`<th scope="col">${t(key)}</th>`)}</tr></thead>
      <tbody>${checked.rows.slice(0, MOST_SHOWN).map((row) => html`<${FailingRow} key=${`${row.index} ${row.column}`} row=${row} edit=${edits.get(`${row.index} ${row.column}`)} onEdit=${onEdit} />`)}</tbody>
    </table></div>`}
    ${checked.rows.length > MOST_SHOWN && html`<p class="quiet">${t("first_rows_shown", { count: MOST_SHOWN, total: checked.rows.length })}</p>`}
  </div>`;
}

function FailingRow({ row, edit, onEdit }) {
  const column = row.column ? columnTitle(row.column) : "";
  const number = row.sheet_row ? t("line_of_file", { line: String(row.sheet_row) }) : String(row.index + 1);
  const isField = row.column && !["row", "lines"].includes(row.column);
  return html`<tr>
    <th scope="row" data-label=${t("row")}>${number}</th>
    <td data-label=${t("column")}>${column}</td>
    <td data-label=${t("value")}>
      ${isField
        ? html`<input
            aria-label=${t("value_of_row", { column, row: number })}
            maxlength="1000"
            value=${edit ? edit.value : (row.value ?? "")}
            onInput=${(event) => onEdit(row, event.target.value)}
          />`
        : (row.value ?? "")}
    </td>
    <td data-label=${t("reason")}>${row.reason}</td>
  </tr>`;
}

function sentenceOf({ total, created, failed }) {
  if (failed === 0) {
    return t("check_good", { total });
  }
  return created ? t("check_some", { total, created, failed }) : t("check_none", { total });
}

function notesOf({ created, lines, amount, file }) {
  return [
    created && t("check_totals", { lines, amount: formatAmount(amount) }),
    file?.sheet_name && t("check_sheet", { name: file.sheet_name }),
    file?.other_sheets.length && t("check_other_sheets", { names: listed(file.other_sheets) }),
    file?.encoding && t("check_encoding", { encoding: file.encoding.toUpperCase() }),
    file?.ignored_columns.length && t("check_ignored", { names: listed(file.ignored_columns) }),
  ].filter(Boolean);
}

function listed(names) {
  return names.join(t("list_comma"));
}
