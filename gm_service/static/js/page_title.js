// The title of a page: in the tab, and where the focus goes when a link has led to it.

import { useEffect, useRef } from "./preact.js";
import { setTitle } from "./endings.js";

const station = document.querySelector('meta[name="station-name"]')?.content ?? "";

// A link has led to a page whose heading is not there yet.
let isAwaited = false;

export function usePageTitle(title) {
  useEffect(() => setTitle(`${title} – ${station}`), [title]);
  useEffect(leadFocus, []);
}

/** Lead the focus to the heading of a page that a link within the site has led to, once it is there. */
export function useHeadingFocus(path) {
  const before = useRef(null);
  useEffect(() => {
    isAwaited = before.current !== null && before.current !== path;
    before.current = path;
    leadFocus();
  }, [path]);
}

function leadFocus() {
  const heading = isAwaited ? document.querySelector("main h1") : null;
  if (heading) {
    isAwaited = false;
    // Somebody who asked for the search types already.
    if (!document.activeElement?.matches("main input[type=search]")) {
      heading.focus({ preventScroll: true });
    }
    scrollTo(0, 0);
  }
}
