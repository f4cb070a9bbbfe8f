// The title of a page: in the tab, and where the focus goes when a link has led to it.

import { useEffect, useRef } from "./preact.js";
import { setTitle } from "./endings.js";

const station = document.querySelector('meta[name="station-name"]')?.content ?? "";

export function usePageTitle(title) {
  useEffect(() => setTitle(`${title} – ${station}`), [title]);
}

/** Lead the focus to the heading of a page that a link within the site has led to. */
export function useHeadingFocus(path) {
  const before = useRef(null);
  useEffect(() => {
    if (before.current !== null && before.current !== path) {
      document.querySelector("main h1")?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    before.current = path;
  }, [path]);
}
