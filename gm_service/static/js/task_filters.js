// The filters of the task list, which are the address: they outlive a reload and can be sent to somebody.

import { addressWith, go } from "./address.js";
import { html, useEffect, useRef } from "./preact.js";
import { t } from "./texts.js";

const TYPING_MS = 300;
export const FILTERS = ["state", "type", "text", "since", "until"];

export function TaskFilters({ query }) {
  const timer = useRef(0);
  const text = useRef(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    // Not under the fingers of somebody who types.
    if (document.activeElement !== text.current) {
      text.current.value = query.text ?? "";
    }
  }, [query.text]);
  const set = (changes) => go(addressWith(changes), { replace: true });
  const typed = (event) => {
    const { value } = event.target;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => set({ text: value.trim() }), TYPING_MS);
  };
  const choice = (name, options) =>
    html`<select name=${name} value=${query[name] ?? ""} onChange=${(event) => set({ [name]: event.target.value })}>
      ${options.map(([value, label]) => html`<option value=${value} selected=${value === (query[name] ?? "")}>${label}</option>`)}
    </select>`;
  const day = (name) =>
    html`<input type="date" name=${name} value=${query[name] ?? ""} onChange=${(event) => set({ [name]: event.target.value })} />`;
  const isFiltered = FILTERS.some((name) => query[name]);
  return html`<form class="filters" role="search" aria-label=${t("filters")} onSubmit=${(event) => event.preventDefault()}>
    <label>${t("filter_text")}<input ref=${text} type="search" name="text" maxlength="100" placeholder=${t("filter_text_hint")} onInput=${typed} /></label>
    <label>${t("filter_state")}${choice("state", states())}</label>
    <label>${t("filter_type")}${choice("type", types())}</label>
    <label>${t("filter_since")}${day("since")}</label>
    <label>${t("filter_until")}${day("until")}</label>
    <button
      type="button"
      disabled=${!isFiltered}
      onClick=${() => {
        clearTimeout(timer.current);
        text.current.value = "";
        set(Object.fromEntries(FILTERS.map((name) => [name, ""])));
      }}
    >${t("filters_clear")}</button>
  </form>`;
}

const states = () => [
  ["", t("any")],
  ["active", t("filter_active")],
  ["ended", t("filter_ended")],
  ["finished", t("state_3")],
  ["partly", t("state_4")],
  ["failed", t("state_5")],
];

const types = () => [
  ["", t("any")],
  ["0", t("business_import")],
  ["1", t("business_export")],
  ["2", t("business_process")],
];
