// Tasks that went on when the clerk left the page that showed them: their ends are told on whatever page is open.
// Draws nothing; endings.js has the ones of this tab.

import { FAILED, makePoll, NEW, OVER, SAME } from "./polling.js";
import { hasEnded } from "./task_words.js";

const MOST_LEFT = 100;

export class LeftTasks {
  /** `onEnded(task)` is told of each that ended; `request` is `getChanged`; `isAwaited()` says whether a hidden page asks too. */
  constructor(onEnded, request, isAwaited) {
    this.onEnded = onEnded;
    this.request = request;
    this.ids = new Set();
    this.known = {};
    this.poll = makePoll(() => this.ask(), isAwaited);
  }

  /** Follow those of the tasks that go on, as no page does any more. */
  leave(tasks) {
    const goingOn = tasks.filter((task) => !hasEnded(task)).map((task) => task.task_id);
    this.ids = new Set([...this.ids, ...goingOn].slice(-MOST_LEFT));
    this.poll.soon();
  }

  /** A page shows these, and follows what goes on; what has ended before it came is told here. */
  meet(tasks) {
    const met = tasks.filter((task) => this.ids.delete(task.task_id));
    met.filter(hasEnded).forEach((task) => this.onEnded(task));
  }

  async ask() {
    if (this.ids.size === 0) {
      return OVER;
    }
    const asked = [...this.ids];
    const key = asked.join(",");
    try {
      const { data, mark } = await this.request("/pages/tasks", { task_ids: key }, this.known.key === key ? this.known.mark : null);
      this.known = { key, mark };
      if (data) {
        this.settle(asked, data.tasks);
      }
      return data ? NEW : SAME;
    } catch (error) {
      if (error.isSignedOut) {
        this.ids.clear();
        return OVER;
      }
      return FAILED;
    }
  }

  settle(asked, tasks) {
    this.meet(tasks.filter(hasEnded));
    const listed = new Set(tasks.map((task) => task.task_id));
    // What isn't listed any more was hidden by somebody who saw its end.
    asked.filter((id) => !listed.has(id)).forEach((id) => this.ids.delete(id));
  }
}
