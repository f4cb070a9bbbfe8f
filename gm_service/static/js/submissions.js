// What this browser tab knows of the imports it submitted and the service doesn't: the file, and each row's line.

const PREFIX = "import-";

export function remember(taskId, submission) {
  try {
    sessionStorage.setItem(PREFIX + taskId, JSON.stringify(submission));
  } catch {
    // No room: rows are then named by their place.
  }
}

/** Return `{ fileName, lines }` of an import, both absent where another tab or person submitted it. */
export function recall(taskId) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + taskId)) ?? {};
  } catch {
    return {};
  }
}
