// Runs rows of an ended import again as they stand, part by part, so that progress shows and it can be stopped.

export const ROWS_A_PART = 500;

/**
 * Run the rows of `state` (waiting or failed) again; each is attempted once, in the order of the submission.
 *
 * `listRows(state, after, limit)` returns the next rows after an index, `amend(indexes)` runs them and returns the
 * import's counts, `onPart(done, counts)` is told after each part, `isStopped()` is asked before the next one. Returns
 * how many rows were run. What was run stays run whatever happens then; called again it goes on with what is left.
 */
export async function runAgain(state, { listRows, amend, onPart, isStopped }) {
  let done = 0;
  let after = -1;
  while (!isStopped()) {
    const rows = await listRows(state, after, ROWS_A_PART);
    if (rows.length === 0) {
      break;
    }
    const indexes = rows.map((row) => row.index);
    after = indexes.at(-1);
    const counts = await amend(indexes);
    done += rows.length;
    onPart(done, counts);
  }
  return done;
}

/** Run corrected rows, each `{ index, order }`, part by part; `amend`, `onPart` and `isStopped` are those of `runAgain`. */
export async function runCorrected(rows, { amend, onPart, isStopped }) {
  for (let done = 0; done < rows.length && !isStopped(); done += ROWS_A_PART) {
    const part = rows.slice(done, done + ROWS_A_PART);
    onPart(done + part.length, await amend(part));
  }
}
