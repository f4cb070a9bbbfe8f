// One poll for all tasks: every second what is active, every ten seconds the whole page; nothing while hidden.

import { get } from "./api.js";
import { formatClock, t } from "./texts.js";
import { setText, signInLink } from "./dom.js";

const ACTIVE_MS = 1_000;
const CALM_MS = 10_000;
const SLOWEST_MS = 60_000;

export function startPolling(list) {
  const freshness = document.getElementById("freshness");
  const connection = document.getElementById("connection");
  const older = document.getElementById("older");
  const newer = document.getElementById("newer");
  let page = 0;
  let timer = 0;
  let wholeAt = 0;
  let failures = 0;
  let lastTime = "–";
  let asking = false;
  let askAgain = false;

  async function ask() {
    if (asking) {
      // What was wanted may be newer than the answer that is on its way.
      askAgain = true;
      return;
    }
    asking = true;
    askAgain = false;
    clearTimeout(timer);
    try {
      await refresh();
      failures = 0;
      lastTime = formatClock();
      setText(freshness, t("updated_at", { time: lastTime }));
      connection.hidden = true;
    } catch (error) {
      failures += 1;
      tell(error);
      connection.hidden = false;
    } finally {
      asking = false;
      if (askAgain) {
        soon();
      } else {
        plan();
      }
    }
  }

  function tell(error) {
    const link = signInLink(error);
    const text = link ? error.message : `${t("connection_lost", { time: lastTime })} ${error.message}`;
    // Said once, not with every try.
    if (connection.hidden || connection.dataset.text !== text) {
      connection.dataset.text = text;
      connection.replaceChildren(text, ...(link ? [" ", link] : []));
    }
  }

  async function refresh() {
    const active = list.activeIds();
    const whole = Date.now() - wholeAt >= CALM_MS || active.length === 0;
    if (!whole) {
      const { tasks } = await get("/pages/tasks", { task_ids: active.join(",") });
      // One that is missing now was hidden or removed elsewhere: the whole page tells.
      wholeAt = list.update(tasks) || tasks.length < active.length ? 0 : wholeAt;
      return;
    }
    const { tasks, more } = await get("/pages/tasks", { offset: page });
    wholeAt = Date.now();
    list.replace(tasks);
    older.hidden = !more;
    newer.hidden = page === 0;
  }

  function plan() {
    clearTimeout(timer);
    if (document.hidden) {
      return;
    }
    const calm = list.activeIds().length ? ACTIVE_MS : CALM_MS;
    timer = setTimeout(ask, failures ? Math.min(calm * 2 ** failures, SLOWEST_MS) : calm);
  }

  function soon() {
    wholeAt = 0;
    ask();
  }

  function turn(step) {
    page = Math.max(0, page + step);
    soon();
  }

  older.addEventListener("click", () => turn(1));
  newer.addEventListener("click", () => turn(-1));
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : soon()));
  addEventListener("online", soon);
  soon();
  return { soon };
}
