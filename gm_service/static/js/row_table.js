// A table of many rows of an import, of which those that can be seen are drawn; they are fetched as they are scrolled to.

import { get } from "./api.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { columnTitle, t } from "./texts.js";
import { isCorrectable, valueAt } from "./row_values.js";
import { useKeptFocus, useRowHeight, useVisibleRows } from "./visible_rows.js";

const ROWS_A_PAGE = 500;
const WIDE_REM = 3.25;
const NARROW_REM = 9;

export function RowTable({ taskId, state, count, edits, onEdit }) {
  const list = useRef(null);
  const height = useRowHeight(WIDE_REM, NARROW_REM);
  const [first, end] = useVisibleRows(list, count, height);
  const { rows, failure, tryAgain } = useRows(taskId, state, count, end);
  const places = usePlaces(list, first, Math.min(end, rows.length));
  useKeptFocus(list);
  const title = t("rows_of_import", { count });
  if (count === 0) {
    return html`<p class="notice good">${t("no_rows_left")}</p>`;
  }
  return html`${failure &&
    html`<p class="notice bad" role="alert">${failure.message} <button type="button" onClick=${tryAgain}>${t("refresh")}</button></p>`}
    <div class="scroll" tabindex="0" role="region" aria-label=${title}>
      <div role="table" class="rows" aria-label=${title} aria-rowcount=${count + 1}>
        <div role="rowgroup" class="row-heads"><div role="row" class="row" aria-rowindex="1">
          ${["row", "row_state", "order", "column", "value", "reason"].map((key) => html`<span role="columnheader" class=${`c-${key}`}>${t(key)}</span>`)}
        </div></div>
        <div role="rowgroup" ref=${list} class="row-space" aria-busy=${!failure && rows.length < end} style=${{ height: `${count * height}px` }}>
          ${places.map((place) => {
            const row = rows[place];
            return html`<${Row} key=${row.index} row=${row} place=${place} top=${place * height} edit=${edits.get(row.index)} onEdit=${onEdit} />`;
          })}
          ${!failure && rows.length < end && html`<p class="quiet to-come" style=${{ top: `${Math.max(rows.length, first) * height}px` }}>${t("loading")}</p>`}
        </div>
      </div>
    </div>`;
}

/** Return the places of the rows to draw: those to be seen, and the one that has the focus, which would be lost with it. */
function usePlaces(list, first, end) {
  const [focused, setFocused] = useState(-1);
  useEffect(() => {
    const follow = (event) => {
      const row = list.current?.contains(event.target) ? event.target.closest("[aria-rowindex]") : null;
      setFocused(row ? placeOf(row) : -1);
    };
    document.addEventListener("focusin", follow);
    return () => document.removeEventListener("focusin", follow);
  }, []);
  const places = Array.from({ length: Math.max(end - first, 0) }, (_, place) => first + place);
  if (focused < 0 || places.includes(focused)) {
    return places;
  }
  // In their order, as the Tab key goes by it.
  return focused < first ? [focused, ...places] : [...places, focused];
}

const HEAD_ROWS = 1;
const indexOf = (place) => place + HEAD_ROWS + 1;
const placeOf = (row) => Number(row.getAttribute("aria-rowindex")) - HEAD_ROWS - 1;

/** Fetch rows page by page up to the one that is to be seen. */
function useRows(taskId, state, count, end) {
  const [{ rows, failure, isWhole }, setState] = useState({ rows: [], failure: null, isWhole: false });
  const isAsking = useRef(false);
  useEffect(() => {
    if (isAsking.current || isWhole || failure || rows.length >= Math.min(end, count)) {
      return;
    }
    isAsking.current = true;
    const query = { platform_task_id: taskId, state: state === "all" ? "" : state, after: rows.at(-1)?.index ?? -1, limit: ROWS_A_PAGE };
    get("/station/order/batch/rows", query)
      .then((page) => ({ rows: [...rows, ...page], failure: null, isWhole: page.length < ROWS_A_PAGE }))
      .catch((error) => ({ rows, failure: error, isWhole: false }))
      .then((next) => {
        isAsking.current = false;
        setState(next);
      });
  });
  return { rows, failure, tryAgain: () => setState((old) => ({ ...old, failure: null })) };
}

function Row({ row, place, top, edit, onEdit }) {
  const number = row.sheet_row ? t("line_of_file", { line: String(row.sheet_row) }) : String(row.index + 1);
  const state = row.attempt > 1 && row.state === "failed" ? t("row_failed_again", { attempt: row.attempt }) : t(`row_${row.state}`);
  const column = row.column ? columnTitle(row.column) : "";
  return html`<div role="row" class=${`row ${edit ? "edited" : ""}`} aria-rowindex=${indexOf(place)} style=${{ top: `${top}px` }}>
    <span role="rowheader" class="c-row" data-label=${t("row")}>${number}</span>
    <span role="cell" class="c-row_state" data-label=${t("row_state")}>${state}</span>
    <span role="cell" class="c-order" data-label=${t("order")} title=${row.order?.order_no}>${row.order?.order_no ?? ""}</span>
    <span role="cell" class="c-column" data-label=${t("column")}>${column}</span>
    <span role="cell" class="c-value" data-label=${t("value")}>
      ${isCorrectable(row) ? html`<${ValueField} row=${row} edit=${edit} label=${t("value_of_row", { column, row: number })} onEdit=${onEdit} />` : (row.value ?? "")}
    </span>
    <span role="cell" class="c-reason" data-label=${t("reason")} title=${row.reason}>${row.reason ?? ""}</span>
  </div>`;
}

function ValueField({ row, edit, label, onEdit }) {
  const was = valueAt(row.order, row.column);
  return html`<input
    aria-label=${label}
    value=${edit ? edit.value : was}
    maxlength="1000"
    onInput=${(event) => onEdit(row, event.target.value === was ? null : event.target.value)}
  />`;
}
