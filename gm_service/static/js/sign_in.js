// The sign-in form.

import { post } from "./api.js";
import { make, onSubmit, say } from "./dom.js";
import { t } from "./texts.js";

const form = document.getElementById("sign-in");

onSubmit(form, t("sending"), async (message) => {
  const { station_id, username, password } = Object.fromEntries(new FormData(form));
  await post("/session", { station_id: station_id.trim(), username: username.trim(), password });
  // Where a download is what comes next, this page stays.
  say(message, t("signed_in"), "good", make("a", { href: "/" }, t("to_task_centre")));
  location.replace(form.dataset.target);
});
