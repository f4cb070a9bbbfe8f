// The place of a row that its reason names, such as `sku` or `lines[2].sku`: read it, and put another value there.

const STEP = /([^.[\]]+)|\[(\d+)\]/g;

/** Return a copy of `order` with `value`, a text, at `column`. */
export function corrected(order, column, value) {
  const steps = stepsOf(column);
  const copy = structuredClone(order ?? {});
  let place = copy;
  for (const step of steps.slice(0, -1)) {
    place = place[step] ??= {};
  }
  place[steps.at(-1)] = value;
  return copy;
}

/** Return what stands at `column`, as a text. */
export function valueAt(order, column) {
  const value = stepsOf(column).reduce((place, step) => place?.[step], order);
  return value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Tell whether a row can be corrected in place: its reason names one field of an order that has fields. */
export function isCorrectable({ state, column, order }) {
  const isObject = order !== null && typeof order === "object" && !Array.isArray(order);
  return state === "failed" && isObject && Boolean(column) && column !== "row" && column !== "lines";
}

function stepsOf(column) {
  return [...column.matchAll(STEP)].map(([, name, place]) => name ?? Number(place));
}
