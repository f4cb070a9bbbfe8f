// One task, kept fresh while it goes on: asked for less while nothing changes, on a hidden page only for notifications.

import { getChanged } from "./api.js";
import { isNotifying, leftTasks, tellEnded } from "./endings.js";
import { useEffect, useRef, useState } from "./preact.js";
import { hasEnded } from "./task_words.js";

const FIRST_MS = 1_000;
const SLOWEST_MS = 8_000;
const AWAY_MS = 10_000;

/** Return `{ page, failure }` and what asks now; `page` is what /pages/task answers, null before the first answer. */
export function useTaskState(taskId) {
  const [state, setState] = useState({ page: null, failure: null });
  const soon = useRef(() => undefined);
  useEffect(() => {
    let timer = 0;
    let wait = FIRST_MS;
    let mark = null;
    let known = null;
    let isOver = false;
    async function ask() {
      clearTimeout(timer);
      try {
        const { data, mark: next } = await getChanged("/pages/task", { task_id: taskId }, mark);
        if (isOver) {
          return;
        }
        wait = data ? FIRST_MS : Math.min(wait * 1.5, SLOWEST_MS);
        mark = next;
        if (data && known && hasEnded(data.task) && !hasEnded(known.task)) {
          tellEnded(data.task);
        }
        known = data ?? known;
        leftTasks.meet([known.task]);
        setState({ page: known, failure: null });
      } catch (error) {
        wait = Math.min(wait * 2, SLOWEST_MS);
        if (!isOver) {
          setState({ page: known, failure: error });
        }
        if (error.status === 404) {
          return;
        }
      }
      plan();
    }
    // Of a hidden page rarely, and only for somebody who wants to be notified.
    function plan() {
      clearTimeout(timer);
      const isAwaited = !document.hidden || (known && isNotifying());
      if (isAwaited && !isOver && !(known && hasEnded(known.task))) {
        timer = setTimeout(ask, document.hidden ? AWAY_MS : wait);
      }
    }
    soon.current = () => {
      wait = FIRST_MS;
      return ask();
    };
    const look = () => (document.hidden ? plan() : soon.current());
    setState({ page: null, failure: null });
    ask();
    document.addEventListener("visibilitychange", look);
    addEventListener("online", look);
    return () => {
      isOver = true;
      leftTasks.leave(known ? [known.task] : []);
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", look);
    };
  }, [taskId]);
  return [state, () => soon.current()];
}
