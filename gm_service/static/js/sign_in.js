// The sign-in form.

import { post } from "./api.js";
import { onSubmit } from "./dom.js";
import { t } from "./texts.js";

const form = document.getElementById("sign-in");

onSubmit(form, t("sending"), async () => {
  const { station_id, username, password } = Object.fromEntries(new FormData(form));
  await post("/session", { station_id: station_id.trim(), username: username.trim(), password });
  location.replace(form.dataset.target);
});
