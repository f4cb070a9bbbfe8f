// Tells that a task has ended: a toast, a number in the title while nobody looks, a notification where it was allowed.

import { getChanged } from "./api.js";
import { LeftTasks } from "./left_tasks.js";
import { nameOf, stateOf, toneOf } from "./task_words.js";
import { t } from "./texts.js";
import { toast } from "./toasts.js";

const ALLOWED = "notify";
let unseen = 0;
let title = document.title;

/** Set the page's title; the number of tasks that ended meanwhile stays before it. */
export function setTitle(text) {
  title = text;
  document.title = unseen ? `(${unseen}) ${title}` : title;
}

export function tellEnded(task) {
  const text = t("ended_announcement", { name: nameOf(task), state: stateOf(task) });
  toast(text, toneOf(task), `/tasks/${task.task_id}`);
  if (document.hidden) {
    unseen += 1;
    setTitle(title);
    if (isNotifying()) {
      notify(text, task.task_id);
    }
  }
}

function notify(text, taskId) {
  try {
    const notification = new Notification(text, { tag: `task-${taskId}`, icon: "/static/icon.svg" });
    notification.onclick = () => {
      focus();
      follow(`/tasks/${taskId}`);
      notification.close();
    };
  } catch {
    // Browsers of phones have the name but not the constructor; toast and title tell it there.
  }
}

// As if a link had been clicked: within our pages that loads nothing anew, in somebody else's page it does.
function follow(address) {
  const link = Object.assign(document.createElement("a"), { href: address });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Tell whether the browser can notify here at all: on https and on this machine only. */
export const canNotify = () => "Notification" in globalThis && isSecureContext;

/** Tell whether the browser was told never to notify here; only its own settings change that. */
export const isNotifyingDenied = () => Notification.permission === "denied";

export const isNotifying = () =>
  canNotify() && Notification.permission === "granted" && isWanted();

function isWanted() {
  try {
    return localStorage.getItem(ALLOWED) === "yes";
  } catch {
    return false; // in a frame of another site nothing is kept
  }
}

/** Ask the browser, because the person wants it; return whether notifications will come. */
export async function setNotifying(isChosen) {
  localStorage.setItem(ALLOWED, isChosen ? "yes" : "no");
  if (isChosen && Notification.permission === "default") {
    await Notification.requestPermission();
  }
  return isNotifying();
}

/** The tasks that go on and that no page of this tab shows any more. */
export const leftTasks = new LeftTasks(tellEnded, getChanged, isNotifying);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    unseen = 0;
    setTitle(title);
  }
});
