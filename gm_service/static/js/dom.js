// Makes elements; every text goes in as text, never as markup.

import { t } from "./texts.js";

/** Return a `<tag>` with properties (`class`, `hidden` ...; `on...` are listeners) and children (texts or nodes). */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Set an element's text only where it differs, so that screen readers and selections are left in peace. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Hide or show an element; the focus, where it was inside what is hidden, goes to `next` instead of nowhere. */
export function setHidden(element, isHidden, next = null) {
  const hadFocus = isHidden && element.contains(document.activeElement);
  element.hidden = isHidden;
  if (hadFocus) {
    next?.focus();
  }
}

/** Show a message beside a form: "good", "bad", or "" for neither; `extra` is a node after it. */
export function say(element, text, tone = "", extra = null) {
  element.className = `message ${tone}`.trim();
  element.replaceChildren(text, ...(extra ? [" ", extra] : []));
}

/** Say what went wrong; whoever is signed out can sign in beside it, so that nothing typed here is lost. */
export function sayFailure(element, error) {
  say(element, error.key ? t(error.key, error.facts) : error.message, error.tone ?? "bad", signInLink(error));
}

/** Return the way to sign in again without leaving this page, null where that isn't what is wrong. */
export function signInLink(error) {
  return error.isSignedOut ? make("a", { href: "/sign-in", target: "_blank" }, t("sign_in_in_new_tab")) : null;
}

/**
 * Turn `work` into a listener that runs once at a time: `buttons` look switched off meanwhile but keep the focus, and
 * what goes wrong is said in `message`.
 */
export function oneAtATime(buttons, message, work) {
  let busy = false;
  return async (event) => {
    event?.preventDefault();
    if (busy) {
      return;
    }
    busy = true;
    buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
    try {
      await work(event);
    } catch (error) {
      sayFailure(message, error);
    } finally {
      busy = false;
      buttons.forEach((button) => button.removeAttribute("aria-disabled"));
    }
  };
}

/** Run a form's work once at a time; `work` is called with the message's element and the button that was pressed. */
export function onSubmit(form, sendingText, work) {
  const buttons = [...form.querySelectorAll("button[type=submit]")];
  const message = form.querySelector(".message");
  const run = oneAtATime(buttons, message, async (event) => {
    say(message, sendingText);
    await work(message, event.submitter);
  });
  form.addEventListener("submit", run);
}
