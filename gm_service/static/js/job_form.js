// Creates a job from a plugin: a field for each property of its schema, or job_extra as JSON where it has none.

import { askJobs } from "./api.js";
import { go } from "./address.js";
import { Message, useActing } from "./acting.js";
import { html, useState } from "./preact.js";
import { t } from "./texts.js";

const NUMBERS = ["integer", "number"];

export function JobForm({ plugins, onCreated }) {
  const [type, setType] = useState(plugins[0]?.job_type ?? "");
  const [run, busy, message] = useActing();
  const plugin = plugins.find((each) => each.job_type === type);
  const submit = (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    run(async () => {
      const extra = readExtra(plugin.schema, given);
      const { job_id: id } = await askJobs("create_job", { job_type: type, job_name: given.job_name.trim(), job_extra: extra });
      onCreated();
      go(`/jobs/${id}`);
    });
  };
  return html`<form id="job-form" onSubmit=${submit}>
    <div class="fields">
      <label>${t("job_type")}
        <select name="job_type" value=${type} onChange=${(event) => setType(event.target.value)}>
          ${plugins.map(({ job_type: name }) => html`<option value=${name} selected=${name === type}>${name}</option>`)}
        </select>
      </label>
      <label>${t("job_name_given")}<input name="job_name" maxlength="64" /></label>
    </div>
    <p class="quiet">${plugin?.description}</p>
    <div class="fields" key=${type}>${plugin?.schema?.properties ? fieldsOf(plugin.schema) : html`<${ExtraAsJson} />`}</div>
    <button type="submit" class="primary" aria-disabled=${busy ? "true" : null}>${t("create_job")}</button>
    <${Message} message=${busy ? { text: t("sending") } : message} />
  </form>`;
}

function ExtraAsJson() {
  return html`<label>${t("job_extra")}<textarea name="job_extra" rows="3" spellcheck="false" placeholder="{}"></textarea></label>`;
}

function fieldsOf({ properties, required = [] }) {
  return Object.entries(properties).map(([name, property]) => {
    const isRequired = required.includes(name);
    const label = html`<span><code>${name}</code> ${isRequired ? "*" : ""} <span class="quiet">${property.description ?? ""}</span></span>`;
    if (property.enum || property.type === "boolean") {
      const options = property.enum ?? ["true", "false"];
      return html`<label key=${name}>${label}<select name=${`extra.${name}`} required=${isRequired}><option value=""></option>${options.map((each) => html`<option value=${each}>${String(each)}</option>`)}</select></label>`;
    }
    const isNumber = NUMBERS.includes(property.type);
    return html`<label key=${name}>${label}<input name=${`extra.${name}`} required=${isRequired} type=${isNumber ? "number" : "text"} step=${property.type === "number" ? "any" : null} min=${property.minimum} max=${property.maximum} /></label>`;
  });
}

function readExtra(schema, given) {
  if (!schema?.properties) {
    try {
      return JSON.parse(given.job_extra?.trim() || "{}");
    } catch (error) {
      throw Object.assign(new Error(), { key: "not_json", facts: { problem: error.message } });
    }
  }
  const filled = Object.entries(schema.properties).filter(([name]) => given[`extra.${name}`] !== "");
  return Object.fromEntries(filled.map(([name, property]) => [name, typed(property.type, given[`extra.${name}`])]));
}

function typed(type, text) {
  if (NUMBERS.includes(type)) {
    return Number(text);
  }
  if (type === "boolean") {
    return text === "true";
  }
  return type === "object" || type === "array" ? JSON.parse(text) : text;
}
