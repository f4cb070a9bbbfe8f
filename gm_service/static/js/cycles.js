// The station's operating cycles, asked for once.

import { get } from "./api.js";
import { html, useEffect, useState } from "./preact.js";
import { t } from "./texts.js";

let asked = null;

export function CycleChoice({ value, onChange }) {
  const [cycles, setCycles] = useState(null);
  useEffect(() => {
    asked ??= get("/station/time_configs");
    asked.then(setCycles, () => {
      asked = null;
      setCycles([]);
    });
  }, []);
  const only = cycles?.length === 1 ? cycles[0].id : "";
  useEffect(() => {
    if (only && !value) {
      onChange(only);
    }
  }, [only]);
  return html`<label>${t("time_config")}
    <select key=${cycles?.length} name="time_config_id" required value=${value} onChange=${(event) => onChange(event.target.value)}>
      ${!only && html`<option value="">${cycles === null ? t("loading") : cycles.length ? t("choose_cycle") : t("no_cycles")}</option>`}
      ${(cycles ?? []).map((cycle) => html`<option value=${cycle.id} selected=${cycle.id === value}>${cycle.name} ${cycle.start_time}–${cycle.end_time}</option>`)}
    </select>
  </label>`;
}
