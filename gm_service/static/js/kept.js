// What is typed is kept in this tab: a reload, another page or another language doesn't lose it.

import { useEffect, useState } from "./preact.js";

/** As `useState`, kept in this tab under a name; where there is no room for it, it is simply not kept. */
export function useKept(name, initial) {
  const key = `draft:${name}`;
  const [value, setValue] = useState(() => read(key) ?? initial);
  useEffect(() => {
    try {
      sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      sessionStorage.removeItem(key);
    }
  }, [value]);
  return [value, setValue];
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}
