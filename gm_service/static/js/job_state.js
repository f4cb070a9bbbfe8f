// What the API of jobs answers, kept fresh while the page shows.

import { askJobs } from "./api.js";
import { FAILED, makePoll, NEW, OVER, SAME } from "./polling.js";
import { useEffect, useRef, useState } from "./preact.js";

/**
 * Ask `verbs`, a list of [verb, parameters], now and again until `isOver(answers)`, and anew when one of `marks` changes;
 * return answers, failure, soon.
 */
export function useJobAnswers(verbs, isOver, marks = []) {
  const [state, setState] = useState({ answers: null, failure: null });
  const poll = useRef(null);
  const key = JSON.stringify(verbs);
  useEffect(() => {
    let known = "";
    let isGone = false;
    async function ask() {
      try {
        const answers = await Promise.all(verbs.map(([verb, parameters]) => askJobs(verb, parameters)));
        const text = JSON.stringify(answers);
        const isNew = text !== known;
        if (isNew && !isGone) {
          setState({ answers, failure: null });
        }
        known = text;
        return isOver(answers) ? OVER : isNew ? NEW : SAME;
      } catch (error) {
        known = "";
        if (!isGone) {
          setState((old) => ({ ...old, failure: error }));
        }
        return error.stat ? OVER : FAILED;
      }
    }
    poll.current = makePoll(ask);
    poll.current.soon();
    return () => {
      isGone = true;
      poll.current.stop();
    };
  }, [key, ...marks]);
  return [state.answers, state.failure, () => poll.current.soon()];
}
