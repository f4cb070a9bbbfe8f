// Keys of a page, while nothing is typed into; `?` shows them all.

import { useEffect, useRef } from "./preact.js";

const TYPED_INTO = "input:not([type=checkbox]):not([type=radio]), textarea, select, dialog[open] *";

/** Call `keys[key]()` when a key is pressed alone, until the component goes. */
export function useKeys(keys) {
  const present = useRef(keys);
  present.current = keys;
  useEffect(() => {
    const press = (event) => {
      const isAlone = !(event.ctrlKey || event.metaKey || event.altKey || event.isComposing);
      const act = present.current[event.key];
      const isTyping = event.target.closest?.(TYPED_INTO);
      if (act && isAlone && !event.defaultPrevented && (!isTyping || event.key === "Escape")) {
        // Escape means something to fields and dialogs too.
        if (event.key !== "Escape") {
          event.preventDefault();
        }
        act(event);
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
