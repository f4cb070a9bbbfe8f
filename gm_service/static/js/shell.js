// What surrounds every page: whose station it is, the way to the other pages, themes, languages, keys, signing out.

import { post } from "./api.js";
import { addressWith, go } from "./address.js";
import { canNotify, isNotifying, isNotifyingDenied, setNotifying } from "./endings.js";
import { useKeys } from "./keys.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { language, t, timeZone } from "./texts.js";
import { Toasts } from "./toasts.js";

const SEARCHED = ["/", "/jobs"];
const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;

export function Shell({ path, drawNow, children }) {
  const help = useRef(null);
  useKeys({
    "?": () => help.current.showModal(),
    "/": () => search(drawNow),
    Escape: (event) => leave(event, path),
    g: () => go("/"),
  });
  return html`<header class="bar">
      <p class="station"><span class="quiet">${t("station")}</span> <strong>${meta("station-name")}</strong> <span class="quiet">${meta("station-id")}</span></p>
      <${Who} onHelp=${() => help.current.showModal()} />
      <${Navigation} path=${path} />
      <p class="quiet" id="zone">${t("times_in_zone")} ${timeZone()}</p>
    </header>
    <main id="main">${children}</main>
    <footer>
      <${Choices} />
    </footer>
    <${Toasts} />
    <${Help} dialog=${help} />`;
}

function Navigation({ path }) {
  const pages = [
    ["/", t("task_centre"), path === "/" || path.startsWith("/tasks/")],
    ["/export", t("export_orders"), path === "/export"],
    ["/import", t("import_orders"), path === "/import"],
    ["/jobs", t("jobs"), path.startsWith("/jobs")],
    ["/statistics", t("statistics"), path === "/statistics"],
  ];
  return html`<nav aria-label=${t("pages")}>
    ${pages.map(([address, name, isHere]) => html`<a href=${address} aria-current=${isHere ? "page" : null}>${name}</a>`)}
  </nav>`;
}

function Who({ onHelp }) {
  const signOut = async () => {
    await post("/session/end").catch(() => undefined);
    sessionStorage.clear();
    location.assign("/sign-in");
  };
  return html`<p class="who">
    <span>${meta("person-name")}</span>
    <button type="button" class="plain" aria-label=${t("keys")} onClick=${onHelp}>?</button>
    <button type="button" id="sign-out" onClick=${signOut}>${t("sign_out")}</button>
  </p>`;
}

function Choices() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? "");
  const choose = (event) => {
    const chosen = event.target.value;
    localStorage.setItem("theme", chosen);
    if (chosen) {
      document.documentElement.dataset.theme = chosen;
    } else {
      delete document.documentElement.dataset.theme;
    }
    setTheme(chosen);
  };
  const other = language === "zh" ? "en" : "zh";
  const themes = [
    ["", t("theme_auto")],
    ["light", t("theme_light")],
    ["dark", t("theme_dark")],
  ];
  return html`<div class="choices">
    <label class="choice">${t("theme")}
      <select id="theme" value=${theme} onChange=${choose}>
        ${themes.map(([value, name]) => html`<option value=${value} selected=${value === theme}>${name}</option>`)}
      </select>
    </label>
    ${canNotify() && html`<${NotifyChoice} />`}
    <a id="other-language" href=${addressWith({ lang: other })} lang=${other} hreflang=${other} onClick=${(event) => (event.target.href = addressWith({ lang: other }))}
      >${t("other_language")}</a
    >
  </div>`;
}

function NotifyChoice() {
  const [isTold, setTold] = useState(isNotifying());
  const [isAsked, setAsked] = useState(false);
  const choose = async (event) => {
    const isWanted = event.target.checked;
    const isSet = await setNotifying(isWanted);
    // What was refused isn't checked, whatever the browser shows after a click.
    event.target.checked = isSet;
    setTold(isSet);
    setAsked(isWanted);
  };
  return html`<label class="choice"><input type="checkbox" id="notify" checked=${isTold} onChange=${choose} /> ${t("notify_me")}</label>
    <p class="quiet" role="status">${isAsked && !isTold && (isNotifyingDenied() ? t("notify_denied") : t("notify_not_allowed"))}</p>`;
}

function Help({ dialog }) {
  const keys = [
    ["/", t("key_search")],
    ["j k", t("key_move")],
    ["Enter", t("key_open")],
    ["x", t("key_select")],
    ["Esc", t("key_back")],
    ["g", t("key_centre")],
    ["?", t("key_help")],
  ];
  useEffect(() => {
    const close = (event) => event.target === dialog.current && dialog.current.close();
    dialog.current.addEventListener("click", close);
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby="keys-title">
    <h2 id="keys-title">${t("keys")}</h2>
    <dl class="keys">${keys.map(([key, what]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl>
    <form method="dialog"><button>${t("close")}</button></form>
  </dialog>`;
}

/** Lead to the page's search, or the task centre's, at once: what is typed next belongs into it. */
function search(drawNow) {
  if (!SEARCHED.includes(location.pathname)) {
    go("/");
  }
  drawNow();
  document.querySelector("main input[type=search]")?.focus();
}

/** Escape leaves a field first, then the page of one task. */
function leave(event, path) {
  if (event.target !== document.body && event.target.matches?.("input, textarea, select")) {
    event.target.blur();
  } else if (path.startsWith("/tasks/") && !document.querySelector("dialog[open]")) {
    go("/");
  }
}
