// What can be done about rows that became no orders: take them as a file, give it back corrected, run them again.

import { get, post, postForm } from "./api.js";
import { acceptDrops } from "./drop.js";
import { make, oneAtATime, say, setHidden, setText } from "./dom.js";
import { readBytes } from "./import_source.js";
import { runAgain } from "./rerun.js";
import { t } from "./texts.js";

const IMPORTS = "/station/order/batch";
const openOf = (counts) => counts.failed + counts.not_attempted;

export class Corrections {
  /** `onRun(text, tone)` is called after rows were run: with what became of them, or without where it broke off. */
  constructor(onRun) {
    this.onRun = onRun;
    this.isStopped = false;
    this.link = make("a", {}, t("download_open_rows"));
    this.upload = make("input", { type: "file", accept: ".xlsx,.csv,text/csv" });
    this.runWaiting = make("button", { type: "button" });
    this.runFailed = make("button", { type: "button" });
    this.stop = make("button", { type: "button", hidden: true, onclick: () => this.askToStop() }, t("stop"));
    this.message = make("p", { class: "message", role: "status" });
    const drop = make("label", { class: "drop" }, t("upload_corrected"), this.upload);
    this.element = make(
      "div",
      { class: "corrections" },
      make("p", { class: "quiet" }, t("correct_intro")),
      make("p", {}, this.link),
      drop,
      make("div", { class: "actions" }, this.runWaiting, this.runFailed, this.stop),
      this.message,
    );
    acceptDrops(drop, this.upload);
    const controls = [this.upload, this.runWaiting, this.runFailed];
    const act = oneAtATime(controls, this.message, (event) => this.act(event.currentTarget));
    this.upload.addEventListener("change", act);
    this.runWaiting.addEventListener("click", act);
    this.runFailed.addEventListener("click", act);
  }

  show(task, name) {
    this.taskId = task.task_id;
    this.counts = { created: 0, failed: 0, not_attempted: 0, ...task.counts };
    this.link.href = `${IMPORTS}/open_rows?platform_task_id=${task.task_id}`;
    this.link.setAttribute("aria-label", `${t("download_open_rows")}: ${name}`);
    setText(this.runWaiting, t("run_waiting", { count: this.counts.not_attempted }));
    setText(this.runFailed, t("run_failed", { count: this.counts.failed }));
    setHidden(this.runWaiting, this.counts.not_attempted === 0, this.upload);
    setHidden(this.runFailed, this.counts.failed === 0, this.upload);
  }

  async act(control) {
    const before = openOf(this.counts);
    this.answered = null;
    try {
      if (control === this.upload) {
        await this.sendFile(control.files[0]);
      } else {
        await this.runPartByPart(control);
      }
    } catch (error) {
      this.onRun();
      throw error;
    }
    const open = openOf(this.answered ?? this.counts);
    const facts = { created: Math.max(before - open, 0), open };
    say(this.message, "");
    this.onRun(open ? t("amended_some", facts) : t("amended_all", facts), open ? "warn" : "good");
  }

  async sendFile(file) {
    try {
      say(this.message, t("sending"));
      const content = new File([await readBytes(file)], file.name);
      this.answered = await postForm(`${IMPORTS}/amend`, { platform_task_id: this.taskId, file: content });
    } finally {
      this.upload.value = "";
    }
  }

  async runPartByPart(button) {
    const state = button === this.runWaiting ? "waiting" : "failed";
    const total = state === "waiting" ? this.counts.not_attempted : this.counts.failed;
    const tell = (done) => this.isStopped || say(this.message, t("rows_run", { done, total: Math.max(done, total) }));
    this.isStopped = false;
    setText(this.stop, t("stop"));
    setHidden(this.stop, false);
    tell(0);
    try {
      await runAgain(state, {
        listRows: (rowState, after, limit) =>
          get(`${IMPORTS}/rows`, { platform_task_id: this.taskId, state: rowState, after, limit }),
        amend: (indexes) => post(`${IMPORTS}/amend`, { platform_task_id: this.taskId, rows: indexes.map((index) => ({ index })) }),
        onPart: (done, counts) => {
          this.answered = counts;
          tell(done);
        },
        isStopped: () => this.isStopped,
      });
    } finally {
      setHidden(this.stop, true, button);
    }
  }

  askToStop() {
    this.isStopped = true;
    setText(this.stop, t("stop_asked"));
  }
}
