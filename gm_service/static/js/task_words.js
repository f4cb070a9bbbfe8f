// What people read of a task: its name, its state, and an honest word about how long it takes; no element is made here.

import { formatDuration, formatSize, t } from "./texts.js";

const KINDS = ["business_import", "business_export", "business_process"];
const MARKS = { 1: "○", 2: "◐", 3: "✓", 4: "◑", 5: "✗" };
const TONES = { 1: "", 2: "", 3: "good", 4: "warn", 5: "bad" };
// What this service submits is named in the reader's language, the rest as it was submitted.
const BUSINESSES = { 1: "order_export", 2: "order_import" };
const STALLED_MS = 40_000;
// Less than this says nothing about the rest.
const LEAST_PROGRESS = 3;
const LEAST_ELAPSED_MS = 3_000;

export const hasEnded = (task) => task.status >= 3;
export const wasStopped = (task) => hasEnded(task) && task.reason_code === "closed";
export const toneOf = (task) => (wasStopped(task) ? "" : TONES[task.status]);
export const markOf = (task) => (wasStopped(task) ? "■" : MARKS[task.status]);
export const isImport = (task) => task.type === 0;
export const isOrderExport = (task) => task.business_id === 1;

/** Return how many rows became no orders: of an ended import those can be corrected and run again. */
export function openRows({ counts, ...task }) {
  return hasEnded(task) ? (counts.failed ?? 0) + (counts.not_attempted ?? 0) : 0;
}

export function stateOf(task) {
  if (wasStopped(task)) {
    return t("state_stopped");
  }
  return task.status === 2 && task.stop_requested ? t("stop_asked") : t(`state_${task.status}`);
}

/** Return what became of a run, or that it goes on. */
export function runState(run) {
  const known = { worker_lost: t("run_lost"), handed_back: t("run_handed_back") }[run.reason_code];
  return run.status === 1 && known ? known : stateOf(run);
}

export function businessOf(task) {
  const known = BUSINESSES[task.business_id];
  return known ? t(known) : task.business_name || t(KINDS[task.type] ?? "business_process");
}

export function nameOf(task) {
  const business = businessOf(task);
  return task.file_name ? t("business_of_file", { business, file: task.file_name }) : business;
}

/** Return what was done so far or in all. */
export function workOf(task) {
  const { counts } = task;
  if (counts.total !== undefined) {
    const done = (counts.created ?? 0) + (counts.failed ?? 0);
    const text = t("rows_done", { done, total: counts.total });
    return counts.failed ? `${text} · ${t("rows_failed_count", { count: counts.failed })}` : text;
  }
  return counts.bytes === undefined ? "" : t("file_facts", { rows: counts.rows ?? "–", size: formatSize(counts.bytes) });
}

/** Return how long it waits, runs or ran, and what is known of the rest; `now` is the service's time in ms. */
export function timeOf(task, now) {
  if (task.status === 1) {
    return waitingOf(task, now);
  }
  const since = Date.parse(task.run_start ?? task.start_time ?? task.create_time);
  if (hasEnded(task)) {
    return task.start_time ? t("took", { time: formatDuration(Date.parse(task.end_time) - since) }) : "";
  }
  const quiet = now - Date.parse(task.modify_time);
  if (quiet >= STALLED_MS) {
    return t("no_progress_for", { time: formatDuration(quiet) });
  }
  const elapsed = Math.max(now - since, 0);
  const rest = remaining(task.progress, elapsed);
  const running = t("running_for", { time: formatDuration(elapsed) });
  return rest === null ? running : `${running} · ${t("about_left", { time: formatDuration(rest) })}`;
}

/** Return the milliseconds that are left if it goes on as it went, null while there is no basis for a guess. */
export function remaining(progress, elapsed) {
  if (progress === null || progress < LEAST_PROGRESS || progress >= 100 || elapsed < LEAST_ELAPSED_MS) {
    return null;
  }
  return (elapsed * (100 - progress)) / progress;
}

export const isStalled = (task, now) => task.status === 2 && now - Date.parse(task.modify_time) >= STALLED_MS;

function waitingOf(task, now) {
  const parts = [t("waiting_for", { time: formatDuration(Math.max(now - Date.parse(task.create_time), 0)) })];
  if (task.place_beyond) {
    parts.push(t("place_beyond", { count: task.place_beyond }));
  }
  if (task.ahead !== null) {
    parts.push(task.ahead ? t("place_in_queue", { place: task.ahead + 1 }) : t("next_in_queue"));
  }
  if (task.starts_in_seconds !== null) {
    parts.push(t("starts_in", { time: formatDuration(task.starts_in_seconds * 1000) }));
  }
  return parts.join(" · ");
}
