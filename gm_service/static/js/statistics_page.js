// The statistics of ended jobs, as ECharts draws the options that the API gives; the same figures stand below as tables.

import { addressWith, go } from "./address.js";
import { askJobs } from "./api.js";
import { usePageTitle } from "./page_title.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { t } from "./texts.js";

const LIBRARY = "/static/vendor/echarts-common-6.1.0.js";
const FIELDS = ["job_type", "group_by", "start", "end", "exclude_retstat", "jobtag_name", "jobtag_values"];

export function StatisticsPage({ query }) {
  usePageTitle(t("statistics"));
  const [plugins, setPlugins] = useState([]);
  const [failure, setFailure] = useState(null);
  useEffect(() => {
    askJobs("list_plugins").then((answer) => setPlugins(answer.data.list), setFailure);
  }, []);
  const type = query.job_type ?? plugins[0]?.job_type;
  const set = (name) => (event) => go(addressWith({ [name]: event.target.value.trim() }), { replace: true });
  const field = (name, kind) => html`<label>${t(`stat_${name}`)}<input type=${kind} value=${query[name] ?? ""} maxlength="128" onChange=${set(name)} /></label>`;
  return html`<h1 tabindex="-1">${t("statistics")}</h1>
    <form class="panel fields" onSubmit=${(event) => event.preventDefault()}>
      <label>${t("job_type")}<select key=${plugins.length} value=${type} onChange=${set("job_type")}>${plugins.map(({ job_type: name }) => html`<option value=${name} selected=${name === type}>${name}</option>`)}</select></label>
      <label>${t("stat_group_by")}<select value=${query.group_by ?? "week"} onChange=${set("group_by")}>
        ${["day", "week", "month"].map((each) => html`<option value=${each} selected=${each === (query.group_by ?? "week")}>${t(`by_${each}`)}</option>`)}
      </select></label>
      ${field("start", "date")} ${field("end", "date")} ${field("exclude_retstat", "text")} ${field("jobtag_name", "text")} ${field("jobtag_values", "text")}
    </form>
    ${failure && html`<p class="notice bad" role="alert">${failure.message}</p>`}
    ${type &&
    html`<${Chart} title=${t("success_rate")} verb="statistics_success_rate" asked=${asked(query, type, FIELDS.slice(1, 5))} />
      <${Chart} title=${t("retstat_ratio")} verb="statistics_retstat_ratio" asked=${{ job_type: type }} />
      ${query.jobtag_name && query.jobtag_values
        ? html`<${Chart} title=${t("jobtag_ratio")} verb="statistics_jobtag_ratio" asked=${asked(query, type, FIELDS.slice(5))} />`
        : html`<p class="quiet">${t("jobtag_hint")}</p>`}`}`;
}

const asked = (query, type, names) => ({ job_type: type, ...Object.fromEntries(names.map((name) => [name, query[name]])) });

function Chart({ title, verb, asked: parameters }) {
  const place = useRef(null);
  const [option, setOption] = useState(null);
  const [failure, setFailure] = useState(null);
  const key = JSON.stringify(parameters);
  useEffect(() => {
    let isGone = false;
    setFailure(null);
    askJobs(verb, parameters).then(
      (answer) => isGone || setOption(answer.data),
      (error) => isGone || setFailure(error),
    );
    return () => (isGone = true);
  }, [key]);
  useEffect(() => (option ? draw(place.current, option) : undefined), [option]);
  return html`<figure class="panel chart">
    <figcaption>${title}</figcaption>
    ${failure && html`<p class="notice bad">${failure.message}</p>`}
    <div ref=${place} class="canvas" role="img" aria-label=${title}></div>
    ${option && html`<details><summary>${t("figures")}</summary><${Figures} option=${option} /></details>`}
  </figure>`;
}

/** Draw an option; return what takes it away again. */
function draw(place, option) {
  let chart = null;
  let isGone = false;
  const resize = () => chart?.resize();
  load().then((echarts) => {
    if (isGone) {
      return;
    }
    const isDark = getComputedStyle(place).colorScheme === "dark" || matchMedia("(prefers-color-scheme: dark)").matches;
    chart = echarts.init(place, isDark && document.documentElement.dataset.theme !== "light" ? "dark" : null);
    // Tooltips of HTML would need styles that stand in the page.
    chart.setOption({ ...option, backgroundColor: "transparent", tooltip: { ...option.tooltip, renderMode: "richText" } });
    place.dataset.drawn = "yes";
  });
  addEventListener("resize", resize);
  return () => {
    isGone = true;
    removeEventListener("resize", resize);
    chart?.dispose();
  };
}

let library = null;

function load() {
  library ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: LIBRARY, onerror: reject });
    script.onload = () => resolve(globalThis.echarts);
    document.head.append(script);
  });
  return library;
}

function Figures({ option }) {
  const names = option.xAxis?.data;
  const rows = names
    ? names.map((name, place) => [name, ...option.series.map((series) => series.data[place])])
    : option.series[0].data.map((item) => [item.name, item.value]);
  return html`<table><tbody>${rows.map(([name, ...values]) => html`<tr><th scope="row">${name}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>`)}</tbody></table>`;
}
