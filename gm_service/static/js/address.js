// The address holds what a page shows: which one, its filters, what is open. Links within the site load no new page.

import { useEffect, useState } from "./preact.js";

const PAGES = /^\/(tasks\/\d+|export|import|jobs(\/\d+)?|statistics)?$/;
const moves = new EventTarget();

/** Go to an address of this site; `replace` leaves no step to go back to. */
export function go(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  moves.dispatchEvent(new Event("move"));
}

/** Return the present path and query, and draw again when they change. */
export function useAddress() {
  const [address, setAddress] = useState(read);
  useEffect(() => {
    const follow = () => setAddress(read());
    moves.addEventListener("move", follow);
    addEventListener("popstate", follow);
    return () => {
      moves.removeEventListener("move", follow);
      removeEventListener("popstate", follow);
    };
  }, []);
  return address;
}

/** Return the address with these parameters of its query changed; empty ones are left out. */
export function addressWith(changes, base = location.href) {
  const address = new URL(base);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === null || value === undefined) {
      address.searchParams.delete(name);
    } else {
      address.searchParams.set(name, value);
    }
  }
  return address.pathname + address.search;
}

/** Let links to our pages change the address only; every other click is left to the browser. */
export function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || event.defaultPrevented || link.target || link.origin !== location.origin) {
      return;
    }
    const address = new URL(link.href);
    if (PAGES.test(address.pathname) && !address.searchParams.has("lang") && !link.getAttribute("href").startsWith("#")) {
      event.preventDefault();
      go(address.pathname + address.search);
    }
  });
}

function read() {
  return { path: location.pathname, query: Object.fromEntries(new URLSearchParams(location.search)) };
}
