// A poll of the API of jobs: asked less while nothing changes, not while the page is hidden or when all is over.

import { askJobs } from "./api.js";
import { useEffect, useRef, useState } from "./preact.js";

const FIRST_MS = 1_000;
const SLOWEST_MS = 8_000;

/**
 * Ask `verbs`, a list of [verb, parameters], now and again until `isOver(answers)`, and anew when one of `marks` changes;
 * return answers, failure, soon.
 */
export function useJobAnswers(verbs, isOver, marks = []) {
  const [state, setState] = useState({ answers: null, failure: null });
  const soon = useRef(() => undefined);
  const key = JSON.stringify(verbs);
  useEffect(() => {
    let timer = 0;
    let wait = FIRST_MS;
    let known = "";
    let isGone = false;
    async function ask() {
      clearTimeout(timer);
      let isDone = false;
      try {
        const answers = await Promise.all(verbs.map(([verb, parameters]) => askJobs(verb, parameters)));
        const text = JSON.stringify(answers);
        wait = text === known ? Math.min(wait * 1.5, SLOWEST_MS) : FIRST_MS;
        if (text !== known && !isGone) {
          setState({ answers, failure: null });
        }
        known = text;
        isDone = isOver(answers);
      } catch (error) {
        known = "";
        wait = Math.min(wait * 2, SLOWEST_MS);
        isDone = Boolean(error.stat);
        if (!isGone) {
          setState((old) => ({ ...old, failure: error }));
        }
      }
      if (!isGone && !isDone && !document.hidden) {
        timer = setTimeout(ask, wait);
      }
    }
    soon.current = () => {
      wait = FIRST_MS;
      return ask();
    };
    const look = () => (document.hidden ? clearTimeout(timer) : soon.current());
    ask();
    document.addEventListener("visibilitychange", look);
    addEventListener("online", look);
    return () => {
      isGone = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", look);
    };
  }, [key, ...marks]);
  return [state.answers, state.failure, () => soon.current()];
}
