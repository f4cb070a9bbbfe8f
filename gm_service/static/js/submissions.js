// The id of a submission: the same content keeps it until the service has answered, over reloads of the page too.

const KEY = "submission";

/** Return the id that this content goes under; `content` is a text that tells it from any other. */
export function submissionId(content) {
  const mark = markOf(content);
  const kept = read();
  if (kept?.mark === mark) {
    return kept.id;
  }
  const id = newId();
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ mark, id }));
  } catch {
    // Without room a reload loses it; the service still refuses order numbers that exist.
  }
  return id;
}

/** Forget the id once the service took the content, or refused it: what comes next is another submission. */
export function settle() {
  sessionStorage.removeItem(KEY);
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

// crypto.subtle exists on https only. Two contents under one mark are refused by the service, never mixed up.
function markOf(text) {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  return [text.length, high >>> 0, low >>> 0].join("-");
}

function newId() {
  // randomUUID exists on https only; stations may use plain http inside their network.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
