// Tasks that went on when the clerk left the page that showed them: their ends are told on whatever page is open.
// Draws nothing; endings.js has the ones of this tab.

import { hasEnded } from "./task_words.js";

const CALM_MS = 3_000;
const AWAY_MS = 10_000;
const SLOWEST_MS = 60_000;
const MOST_LEFT = 100;

export class LeftTasks {
  /** `onEnded(task)` is told of each that ended; `ask` is `getChanged`; `isAwaited()` says whether a hidden page asks too. */
  constructor(onEnded, ask, isAwaited) {
    this.onEnded = onEnded;
    this.request = ask;
    this.isAwaited = isAwaited;
    this.ids = new Set();
    this.failures = 0;
  }

  /** Follow those of the tasks that go on, as no page does any more. */
  leave(tasks) {
    tasks.filter((task) => !hasEnded(task)).forEach((task) => this.ids.add(task.task_id));
    this.ids = new Set([...this.ids].slice(-MOST_LEFT));
    this.plan();
  }

  /** A page shows these, and follows what goes on; what has ended before it came is told here. */
  meet(tasks) {
    const met = tasks.filter((task) => this.ids.delete(task.task_id));
    met.filter(hasEnded).forEach((task) => this.onEnded(task));
  }

  async ask() {
    const asked = [...this.ids];
    const query = { task_ids: asked.join(",") };
    try {
      const { data, mark } = await this.request("/pages/tasks", query, this.askedLast === query.task_ids ? this.mark : null);
      Object.assign(this, { askedLast: query.task_ids, mark, failures: 0 });
      if (data) {
        this.settle(asked, data.tasks);
      }
    } catch (error) {
      this.failures += 1;
      if (error.isSignedOut) {
        this.ids.clear();
      }
    }
    this.plan();
  }

  settle(asked, tasks) {
    this.meet(tasks.filter(hasEnded));
    const goingOn = new Set(tasks.map((task) => task.task_id));
    // What isn't listed any more was hidden by somebody who saw its end.
    asked.filter((id) => !goingOn.has(id)).forEach((id) => this.ids.delete(id));
  }

  /** Ask again in time; of a hidden page rarely, and only for somebody who wants to be notified. */
  plan() {
    clearTimeout(this.timer);
    const isAway = Boolean(globalThis.document?.hidden);
    if (this.ids.size > 0 && (!isAway || this.isAwaited())) {
      const calm = isAway ? AWAY_MS : CALM_MS;
      this.timer = setTimeout(() => this.ask(), Math.min(calm * 2 ** this.failures, SLOWEST_MS));
    }
  }
}
