// What people read of workflow jobs and their tasks: states by word and mark, never by colour alone.

import { t } from "./texts.js";

const MARKS = { waiting: "○", pending: "◌", started: "◐", finished: "✓", failed: "✗" };

export const jobMark = (status) => MARKS[status] ?? "?";
export const jobTone = (status) => ({ finished: "good", failed: "bad" })[status] ?? "";
export const jobState = (status) => (status in MARKS ? t(`job_${status}`) : status);
export const seconds = (cost) => t("seconds", { count: Math.round(cost * 100) / 100 });

/** Return a moment of the API (`YYYY-MM-DD HH:MM:SS`, the station's clock) in milliseconds of that clock, null for none. */
export function momentOf(text) {
  const moment = Date.parse(`${text?.replace(" ", "T")}Z`);
  return Number.isNaN(moment) || moment < Date.UTC(1971, 0, 1) ? null : moment;
}
