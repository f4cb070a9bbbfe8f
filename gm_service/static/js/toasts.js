// Short messages over the page: said once, read aloud, gone by themselves or by a click.

import { html, useEffect, useState } from "./preact.js";
import { t } from "./texts.js";

const SHOWN_MS = 8_000;
const MOST = 4;
let toasts = [];
let nextId = 1;
const changes = new EventTarget();

/** Show a message: `tone` is "good", "warn", "bad" or "", `link` an address with more. */
export function toast(text, tone = "", link = null) {
  const id = nextId++;
  change([...toasts, { id, text, tone, link }].slice(-MOST));
  setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(id) {
  change(toasts.filter((each) => each.id !== id));
}

function change(next) {
  toasts = next;
  changes.dispatchEvent(new Event("change"));
}

export function Toasts() {
  const [shown, setShown] = useState(toasts);
  useEffect(() => {
    const follow = () => setShown(toasts);
    changes.addEventListener("change", follow);
    return () => changes.removeEventListener("change", follow);
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${shown.map(
      ({ id, text, tone, link }) => html`<div class="toast ${tone}" key=${id}>
        ${link ? html`<a href=${link}>${text}</a>` : html`<span>${text}</span>`}
        <button type="button" class="plain" aria-label=${t("dismiss")} onClick=${() => dismiss(id)}>×</button>
      </div>`,
    )}
  </div>`;
}
