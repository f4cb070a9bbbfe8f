// What people read of workflow jobs and their tasks: states by word and mark, never by colour alone.

import { t } from "./texts.js";

const MARKS = { waiting: "○", pending: "◌", started: "◐", finished: "✓", failed: "✗" };

export const jobMark = (status) => MARKS[status] ?? "?";
export const jobTone = (status) => ({ finished: "good", failed: "bad" })[status] ?? "";
export const jobState = (status) => (status in MARKS ? t(`job_${status}`) : status);
export const seconds = (cost) => t("seconds", { count: Math.round(cost * 100) / 100 });
