// One task, kept fresh while it goes on, on a hidden page too for who wants to be notified.

import { getChanged } from "./api.js";
import { isNotifying, leftTasks, tellEnded } from "./endings.js";
import { FAILED, makePoll, NEW, OVER, SAME } from "./polling.js";
import { useEffect, useRef, useState } from "./preact.js";
import { hasEnded } from "./task_words.js";

const NOTHING = { page: null, failure: null };

/** Return `{ page, failure }` and what asks now; `page` is what /pages/task answers, null before the first answer. */
export function useTaskState(taskId) {
  const [state, setState] = useState(NOTHING);
  const poll = useRef(null);
  useEffect(() => {
    let mark = null;
    let known = null;
    let isGone = false;
    async function ask() {
      try {
        const { data, mark: next } = await getChanged("/pages/task", { task_id: taskId }, mark);
        if (isGone) {
          return OVER;
        }
        if (data && known && hasEnded(data.task) && !hasEnded(known.task)) {
          tellEnded(data.task);
        }
        mark = next;
        known = data ?? known;
        leftTasks.meet([known.task]);
        setState({ page: known, failure: null });
        return hasEnded(known.task) ? OVER : data ? NEW : SAME;
      } catch (error) {
        if (!isGone) {
          setState({ page: known, failure: error });
        }
        return error.status === 404 || (known && hasEnded(known.task)) ? OVER : FAILED;
      }
    }
    setState(NOTHING);
    poll.current = makePoll(ask, () => Boolean(known) && isNotifying());
    poll.current.soon();
    return () => {
      isGone = true;
      leftTasks.leave(known ? [known.task] : []);
      poll.current.stop();
    };
  }, [taskId]);
  return [state, () => poll.current.soon()];
}
