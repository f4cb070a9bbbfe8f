// JSON as it stands.

import { html } from "./preact.js";

/** Something as it stands, opened by those who ask for it. */
export function Raw({ title, value, isOpen = false }) {
  if (value === null || value === undefined || value === "") {
    return null;
  }
  return html`<details open=${isOpen}><summary>${title}</summary><pre tabindex="0" role="region" aria-label=${title}>${readable(value)}</pre></details>`;
}

function readable(value) {
  try {
    return JSON.stringify(typeof value === "string" ? JSON.parse(value) : value, null, 2);
  } catch {
    return value;
  }
}
