// Puts the task centre together: the forms above, the list below, one poll for all.

import { get, post } from "./api.js";
import { startExportForm } from "./export_form.js";
import { startImportForm } from "./import_form.js";
import { startPolling } from "./poll.js";
import { TaskList } from "./task_list.js";
import { make } from "./dom.js";

const list = new TaskList(document.getElementById("tasks"), () => poll.soon());
const poll = startPolling(list);

startExportForm(() => poll.soon());
startImportForm(() => poll.soon());

document.getElementById("sign-out").addEventListener("click", async () => {
  await post("/session/end").catch(() => undefined);
  location.assign("/sign-in");
});

document.getElementById("hide-ended").addEventListener("click", async (event) => {
  event.target.disabled = true;
  await post("/task/clear_show", { task_ids: list.endedIds() }).catch(() => undefined);
  event.target.disabled = false;
  poll.soon();
});

try {
  const configs = await get("/station/time_configs");
  const options = configs.map(({ id, name, start_time, end_time }) =>
    make("option", { value: id, label: `${name} ${start_time}–${end_time}` }),
  );
  document.getElementById("time-configs").append(...options);
} catch {
  // The field takes the id as text all the same.
}
