// The sign-in page.

import { post } from "./api.js";
import { Message, useActing } from "./acting.js";
import { html, render } from "./preact.js";
import { t } from "./texts.js";

const place = document.getElementById("sign-in");

function SignIn() {
  const [run, busy, message] = useActing();
  const submit = (event) => {
    event.preventDefault();
    const { station_id, username, password } = Object.fromEntries(new FormData(event.target));
    run(async () => {
      await post("/session", { station_id: station_id.trim(), username: username.trim(), password });
      location.replace(place.dataset.target);
      // Where a download is what comes next, this page stays.
      return { text: t("signed_in"), tone: "good", extra: html`<a href="/">${t("to_task_centre")}</a>` };
    });
  };
  return html`<form class="panel" autocomplete="on" onSubmit=${submit}>
    <label>${t("station_id")}<input name="station_id" required maxlength="16" autocapitalize="characters" autocomplete="organization" autofocus /></label>
    <label>${t("username")}<input name="username" required maxlength="64" autocapitalize="none" autocomplete="username" /></label>
    <label>${t("password")}<input name="password" type="password" required maxlength="256" autocomplete="current-password" /></label>
    <${Message} message=${busy ? { text: t("sending") } : message} role="alert" />
    <button type="submit" class="primary" aria-disabled=${busy ? "true" : null}>${t("sign_in")}</button>
  </form>`;
}

render(html`<${SignIn} />`, place);
