// A poll: asks less while nothing changes or nothing answers, and of a hidden page only what is awaited.

const FIRST_MS = 1_000;
const SLOWEST_MS = 8_000;
/** The pace of a hidden page. */
export const AWAY_MS = 10_000;
/** What asking came to, as how much longer to wait for the next time; 0: there is nothing more to ask for. */
export const [OVER, NEW, SAME, FAILED] = [0, 1, 1.5, 2];

/**
 * Prepare to call `ask`, which returns one of the above, now and again; `isAwaited()` says whether a hidden page goes on.
 * Return `soon()`, which begins, and `stop()`. Who comes back to the page has even what was over asked for once more.
 */
export function makePoll(ask, isAwaited = () => false) {
  let timer = 0;
  let wait = FIRST_MS;
  let isStopped = false;
  async function soon() {
    wait = FIRST_MS;
    await turn();
  }
  async function turn() {
    clearTimeout(timer);
    const came = await ask();
    wait = came === NEW ? FIRST_MS : Math.min(wait * came, SLOWEST_MS);
    later();
  }
  function later() {
    clearTimeout(timer);
    if (!isStopped && wait > 0 && (!document.hidden || isAwaited())) {
      timer = setTimeout(turn, document.hidden ? AWAY_MS : wait);
    }
  }
  const look = () => (document.hidden ? later() : soon());
  document.addEventListener("visibilitychange", look);
  addEventListener("online", look);
  function stop() {
    isStopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
    removeEventListener("online", look);
  }
  return { soon, stop };
}
