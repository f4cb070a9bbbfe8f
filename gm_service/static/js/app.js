// Shows the page that the address names inside the shell.

import { addressWith, followLinks, go, useAddress } from "./address.js";
import { keepPageOnDrop } from "./drop.js";
import { useHeadingFocus, usePageTitle } from "./page_title.js";
import { later } from "./later.js";
import { html, render } from "./preact.js";
import { Shell } from "./shell.js";
import { TaskFilters } from "./task_filters.js";
import { TaskList } from "./task_list.js";
import { t } from "./texts.js";

const ExportPage = later(() => import("./export_page.js").then((page) => page.ExportPage));
const ImportPage = later(() => import("./import_page.js").then((page) => page.ImportPage));
const TaskPage = later(() => import("./task_page.js").then((page) => page.TaskPage));
const JobPage = later(() => import("./job_page.js").then((page) => page.JobPage));
const JobsPage = later(() => import("./jobs_page.js").then((page) => page.JobsPage));
const StatisticsPage = later(() => import("./statistics_page.js").then((page) => page.StatisticsPage));

function App() {
  const { path, query } = useAddress();
  useHeadingFocus(path);
  return html`<${Shell} path=${path} drawNow=${draw}>${pageOf(path, query)}<//>`;
}

function pageOf(path, query) {
  const [, taskId] = /^\/tasks\/(\d+)$/.exec(path) ?? [];
  if (taskId) {
    return html`<${TaskPage} key=${taskId} taskId=${taskId} query=${query} />`;
  }
  const [, jobId] = /^\/jobs\/(\d+)$/.exec(path) ?? [];
  if (jobId) {
    return html`<${JobPage} key=${jobId} jobId=${jobId} />`;
  }
  if (path === "/jobs") {
    return html`<${JobsPage} query=${query} />`;
  }
  if (path === "/statistics") {
    return html`<${StatisticsPage} query=${query} />`;
  }
  if (path === "/export") {
    return html`<${ExportPage} query=${query} />`;
  }
  if (path === "/import") {
    return html`<${ImportPage} />`;
  }
  return html`<${TaskCentre} query=${query} />`;
}

function TaskCentre({ query }) {
  usePageTitle(t("task_centre"));
  return html`<h1 tabindex="-1">${t("task_centre")}</h1>
    <${TaskFilters} query=${query} />
    <${TaskList} query=${query} />`;
}

/** Draw what the address names, and be done with it on return. */
function draw() {
  render(html`<${App} />`, document.getElementById("app"));
}

if (new URLSearchParams(location.search).has("lang")) {
  go(addressWith({ lang: "" }), { replace: true });
}
keepPageOnDrop();
followLinks();
draw();
// What the clerk goes to next is there before it is gone to, also where the line is lost by then.
setTimeout(() => [TaskPage, ExportPage, ImportPage].forEach((page) => page.soon()), 1500);
