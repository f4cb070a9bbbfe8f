// The task list of the signed-in station in another page of the same site, by one tag:
//
//   <script type="module" src="/static/js/embed.js"></script>
//
// It appears in `<div id="gm-tasks"></div>` where the page has one, else at the end of its body. Nothing of it leaks into
// the page: it stands in a shadow tree with styles of its own. docs/pages.md says more.

const place = document.getElementById("gm-tasks") ?? document.body.appendChild(document.createElement("div"));
const root = place.attachShadow({ mode: "open" });
const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("../app.css", import.meta.url).href });
const app = document.createElement("div");
root.append(style, app);

const answer = await fetch("/session", { headers: { Accept: "application/json" }, cache: "no-store" });
const { data } = await answer.json();
if (data) {
  // What our own pages have in their heads, the scripts read from there.
  const facts = { "csrf-token": data.csrf_token, "station-id": data.station_id, "time-zone": data.time_zone };
  for (const [name, content] of Object.entries(facts)) {
    document.head.append(Object.assign(document.createElement("meta"), { name, content }));
  }
}
const { html, render } = await import("./preact.js");
const { t, timeZone } = await import("./texts.js");
if (data) {
  const { TaskList } = await import("./task_list.js");
  render(html`<h2>${t("tasks")} – ${data.station_name}</h2><p class="quiet">${t("times_in_zone")} ${timeZone}</p><${TaskList} query=${{}} />`, app);
} else {
  render(html`<p><a href="/sign-in" target="_blank">${t("sign_in_in_new_tab")}</a></p>`, app);
}
