// The tasks that a page shows, kept fresh by one poll for all that go on: asking less while nothing changes, not at all
// when everything has ended, on a hidden page only for notifications. Draws nothing; task_list.js does.

import { getChanged } from "./api.js";
import { AWAY_MS } from "./polling.js";
import { hasEnded } from "./task_words.js";

const PAGE_ROWS = 100;
const MOST_FOLLOWED = 200;
const WHOLE_MS = 10_000;
const SLOWEST_MS = 60_000;
const MOST_PATIENCE = 8;
const EMPTY = { tasks: [], more: false, isLoading: true, isLoadingMore: false, updatedAt: 0, failure: null, pollMs: 1000 };

export class TaskFeed {
  /** `onEnded(task)` is told of each shown task that has just ended; `isAwaited()` says whether a hidden page asks too. */
  constructor(onEnded, ask = getChanged, isAwaited = () => false) {
    this.onEnded = onEnded;
    this.request = ask;
    this.isAwaited = isAwaited;
    this.state = EMPTY;
    this.listeners = new Set();
    this.filters = {};
    this.generation = 0;
    this.failures = 0;
    this.patience = 1;
    this.wholeAt = 0;
    this.marks = {};
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Show what these filters let through, from its beginning. */
  show(filters) {
    this.filters = filters;
    this.generation += 1;
    this.marks = {};
    this.set({ ...EMPTY });
    this.soon();
  }

  /** Ask for everything now. */
  soon() {
    this.wholeAt = 0;
    this.patience = 1;
    return this.ask();
  }

  stop() {
    this.generation += 1;
    clearTimeout(this.timer);
  }

  async loadMore() {
    if (this.state.isLoadingMore || !this.state.more) {
      return;
    }
    const generation = this.generation;
    this.set({ isLoadingMore: true });
    try {
      const before = this.state.tasks.at(-1)?.task_id;
      const { data } = await this.request("/pages/tasks", { ...this.filters, before_id: before, limit: PAGE_ROWS });
      if (generation === this.generation) {
        this.set({ tasks: [...this.state.tasks, ...data.tasks], more: data.more });
        this.plan();
      }
    } catch (error) {
      this.set({ failure: error });
    } finally {
      this.set({ isLoadingMore: false });
    }
  }

  async ask() {
    clearTimeout(this.timer);
    const generation = this.generation;
    if (this.asking === generation) {
      this.isAskedAgain = true;
      return;
    }
    this.asking = generation;
    this.isAskedAgain = false;
    try {
      await this.refresh(generation);
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      if (generation === this.generation) {
        this.set({ failure: error, isLoading: false });
      }
    }
    this.asking = null;
    if (generation === this.generation) {
      this.isAskedAgain ? this.ask() : this.plan();
    }
  }

  async refresh(generation) {
    const followed = this.active().slice(0, MOST_FOLLOWED);
    const isWhole = Date.now() - this.wholeAt >= WHOLE_MS || followed.length === 0;
    const query = isWhole
      ? { ...this.filters, limit: PAGE_ROWS }
      : { task_ids: followed.map((task) => task.task_id).join(",") };
    const key = JSON.stringify(query);
    const { data, mark } = await this.request("/pages/tasks", query, this.marks[key]);
    if (generation !== this.generation) {
      return;
    }
    this.marks = { ...(isWhole ? {} : { [this.wholeKey]: this.marks[this.wholeKey] }), [key]: mark };
    this.wholeKey = isWhole ? key : this.wholeKey;
    this.wholeAt = isWhole ? Date.now() : this.wholeAt;
    this.patience = data ? 1 : Math.min(this.patience * 1.5, MOST_PATIENCE);
    const changed = data ? this.merge(data, isWhole) : {};
    this.set({ ...changed, isLoading: false, failure: null, updatedAt: Date.now() });
  }

  /** Return the new state; a task that is as it was stays the same object, so that its row isn't drawn again. */
  merge({ tasks, more, poll_seconds: seconds }, isWhole) {
    const known = new Map(this.state.tasks.map((task) => [task.task_id, task]));
    const fresh = tasks.map((task) => same(known.get(task.task_id), task));
    fresh.filter((task) => hasEnded(task) && known.has(task.task_id) && !hasEnded(known.get(task.task_id))).forEach((task) => {
      this.onEnded(task);
      // What has ended may not belong to these filters any more, and what waited moves up.
      this.wholeAt = 0;
    });
    const pollMs = seconds * 1000;
    if (isWhole) {
      const last = fresh.at(-1)?.task_id ?? 0;
      const older = more ? this.state.tasks.filter((task) => task.task_id < last) : [];
      return { tasks: [...fresh, ...older], more: older.length ? this.state.more : more, pollMs };
    }
    const byId = new Map(fresh.map((task) => [task.task_id, task]));
    if (fresh.length < Math.min(this.active().length, MOST_FOLLOWED)) {
      this.wholeAt = 0;
    }
    return { tasks: this.state.tasks.map((task) => byId.get(task.task_id) ?? task), pollMs };
  }

  /** Ask again in time; of a hidden page rarely, and only for somebody who wants to be notified. */
  plan() {
    clearTimeout(this.timer);
    const isAway = Boolean(globalThis.document?.hidden);
    const isOver = this.failures === 0 && this.active().length === 0 && this.wholeAt > 0;
    if (isOver || (isAway && !this.isAwaited())) {
      return;
    }
    const calm = Math.max(this.state.pollMs * this.patience, isAway ? AWAY_MS : 0);
    this.timer = setTimeout(() => this.ask(), this.failures ? Math.min(calm * 2 ** this.failures, SLOWEST_MS) : calm);
  }

  active() {
    return this.state.tasks.filter((task) => !hasEnded(task));
  }

  set(changes) {
    this.state = { ...this.state, ...changes };
    this.listeners.forEach((listener) => listener(this.state));
  }
}

function same(known, task) {
  return known && JSON.stringify(known) === JSON.stringify(task) ? known : task;
}
