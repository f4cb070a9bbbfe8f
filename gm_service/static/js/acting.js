// What people do on the pages: once at a time, the focus kept, what goes wrong said beside it.

import { html, useRef, useState } from "./preact.js";
import { t } from "./texts.js";

/**
 * Return `[run, busy, message]`: `run(work)` does `work` unless something is still being done; `message` is null or
 * `{ text, tone, isSignedOut }`. `work` may return such a message.
 */
export function useActing() {
  const [state, setState] = useState({ busy: false, message: null });
  const busy = useRef(false);
  async function run(work) {
    if (busy.current) {
      return;
    }
    busy.current = true;
    setState({ busy: true, message: null });
    let message = null;
    try {
      message = (await work()) ?? null;
    } catch (error) {
      message = failureMessage(error);
    }
    busy.current = false;
    setState({ busy: false, message });
  }
  return [run, state.busy, state.message, (message) => setState({ busy: busy.current, message })];
}

export function failureMessage(error) {
  const text = error.key ? t(error.key, error.facts) : error.message;
  return { text, tone: error.tone ?? "bad", isSignedOut: Boolean(error.isSignedOut) };
}

/** Say a message; whoever is signed out can sign in beside it, so that nothing typed here is lost. */
export function Message({ message, role = "status" }) {
  return html`<p class=${`message ${message?.tone ?? ""}`} role=${role}>
    ${message &&
    html`${message.text} ${message.isSignedOut && html`<a href="/sign-in" target="_blank">${t("sign_in_in_new_tab")}</a>`}
      ${message.extra}`}
  </p>`;
}

/** A button that looks switched off while something is done, but keeps the focus. */
export function ActButton({ busy, class: name, children, ...rest }) {
  return html`<button type="button" class=${name} aria-disabled=${busy ? "true" : null} ...${rest}>${children}</button>`;
}
