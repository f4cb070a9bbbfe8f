// Puts the task centre together: the forms above, the list below, one poll for all.

import { post } from "./api.js";
import { keepDrafts, restoreDrafts } from "./drafts.js";
import { keepPageOnDrop } from "./drop.js";
import { startExportForm } from "./export_form.js";
import { startImportForm } from "./import_form.js";
import { startPolling } from "./poll.js";
import { TaskList } from "./task_list.js";

const list = new TaskList(document.getElementById("tasks"), () => poll.soon());
const poll = startPolling(list);

const forms = ["export-form", "import-form"].map((id) => document.getElementById(id));
restoreDrafts(forms);
keepDrafts(document.getElementById("other-language"), forms);
keepPageOnDrop();
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
