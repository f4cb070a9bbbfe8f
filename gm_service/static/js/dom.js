// Makes elements; every text goes in as text, never as markup.

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

/** Show a message beside a form: "good", "bad", or "" for neither; `extra` is a node after it. */
export function say(element, text, tone = "", extra = null) {
  element.className = `message ${tone}`.trim();
  element.replaceChildren(text, ...(extra ? [" ", extra] : []));
}

/** Run a form's work once at a time: its button is off meanwhile, and what goes wrong is said. */
export function onSubmit(form, sendingText, work) {
  const button = form.querySelector("button[type=submit]");
  const message = form.querySelector(".message");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) {
      return;
    }
    button.disabled = true;
    say(message, sendingText);
    try {
      await work(message);
    } catch (error) {
      say(message, error.message, "bad");
    } finally {
      button.disabled = false;
    }
  });
}
