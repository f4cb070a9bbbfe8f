// The task list of the signed-in station in another page, by one tag:
//
//   <script type="module" src="/static/js/embed.js"></script>, or with the address of this service before it
//
// It appears in `<div id="gm-tasks"></div>` where the page has one, else at the end of its body. Nothing of it leaks into
// the page: on the same origin it stands in a shadow tree with styles of its own, on another one in a frame, where
// GM_EMBED_ORIGINS names that origin. docs/pages.md says more.

const home = new URL(import.meta.url).origin;
const place = document.getElementById("gm-tasks") ?? document.body.appendChild(document.createElement("div"));
await (home === location.origin ? draw() : frame());

function frame() {
  // As attributes, so that any style of the page changes them.
  const given = { src: `${home}/embed`, title: new URL(home).host, width: "100%", height: "640", frameborder: "0" };
  const made = document.createElement("iframe");
  Object.entries(given).forEach(([name, value]) => made.setAttribute(name, value));
  place.append(made);
}

async function draw() {
  const root = place.attachShadow({ mode: "open" });
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/static/app.css" });
  const app = document.createElement("div");
  root.append(style, app);
  const { html, render } = await import("./preact.js");
  const { t, timeZone } = await import("./texts.js");
  let session = await findSession();
  if (!session) {
    render(html`<p class="notice"><a href="/sign-in" target="_blank">${t("sign_in_in_new_tab")}</a></p>`, app);
    session = await signedIn();
  }
  tellFacts(session);
  const { TaskList } = await import("./task_list.js");
  const { Toasts } = await import("./toasts.js");
  const heading = `${t("tasks")} – ${session.station_name}`;
  render(
    html`<h2>${heading}</h2><p class="quiet">${t("times_in_zone")} ${timeZone()}</p><${TaskList} query=${{}} /><${Toasts} />`,
    app,
  );
}

async function findSession() {
  const answer = await fetch("/session", { headers: { Accept: "application/json" }, cache: "no-store" });
  return (await answer.json()).data;
}

/** Return the session when somebody has signed in in another tab and comes back. */
async function signedIn() {
  let session = null;
  while (!session) {
    await new Promise((resolve) => {
      addEventListener("focus", resolve, { once: true });
      document.addEventListener("visibilitychange", resolve, { once: true });
    });
    session = await findSession().catch(() => null);
  }
  return session;
}

// What our own pages have in their heads, the scripts read from there.
function tellFacts(session) {
  const facts = { "csrf-token": session.csrf_token, "station-id": session.station_id, "time-zone": session.time_zone };
  for (const [name, content] of Object.entries(facts)) {
    document.head.append(Object.assign(document.createElement("meta"), { name, content }));
  }
}
