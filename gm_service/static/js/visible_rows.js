// Of a long list of rows of one height, draws those that can be seen and no more.

import { useLayoutEffect, useState } from "./preact.js";

const OVERSCAN = 6;
const FIRST_ROWS = 20;
const LEAST_ROWS = 10;

/**
 * Return `[first, end)`, the places of the rows of `list` (a ref) that can be seen, given their number and height in
 * pixels. The list may scroll with the page or inside an element of class `scroll`.
 */
export function useVisibleRows(list, count, rowHeight) {
  const [range, setRange] = useState([0, FIRST_ROWS]);
  useLayoutEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      const next = list.current ? visibleRange(list.current, rowHeight) : [0, FIRST_ROWS];
      setRange((range) => (range[0] === next[0] && range[1] === next[1] ? range : next));
    };
    const soon = () => (frame ||= requestAnimationFrame(look));
    const options = { capture: true, passive: true };
    addEventListener("scroll", soon, options);
    addEventListener("resize", soon, options);
    look();
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon, options);
      removeEventListener("resize", soon, options);
    };
  }, [count, rowHeight]);
  return [Math.min(range[0], count), Math.min(range[1], count)];
}

function visibleRange(list, rowHeight) {
  const top = list.getBoundingClientRect().top;
  const frame = list.closest(".scroll")?.getBoundingClientRect();
  const [from, to] = [Math.max(frame?.top ?? 0, 0), Math.min(frame?.bottom ?? innerHeight, innerHeight)];
  const first = Math.floor((from - top) / rowHeight) - OVERSCAN;
  const end = Math.ceil((to - top) / rowHeight) + OVERSCAN;
  // Some are there before they are scrolled to, for whoever doesn't scroll: readers of the screen, and the first key.
  return [Math.max(first, 0), Math.max(end, LEAST_ROWS)];
}

/** Keep the focus where it is inside `list` (a ref) when what is drawn there changes: a node that is moved loses it. */
export function useKeptFocus(list) {
  const root = list.current?.getRootNode();
  const held = list.current?.contains(root.activeElement) ? root.activeElement : null;
  useLayoutEffect(() => {
    if (held?.isConnected && root.activeElement !== held) {
      held.focus({ preventScroll: true });
    }
  });
}

/** Return what `rem` root ems are in pixels, by whether the window is narrow; follows both. */
export function useRowHeight(wide, narrow) {
  const [height, setHeight] = useState(0);
  useLayoutEffect(() => {
    const query = matchMedia("(max-width: 48rem)");
    const measure = () => {
      const root = parseFloat(getComputedStyle(document.documentElement).fontSize);
      setHeight((query.matches ? narrow : wide) * root);
    };
    query.addEventListener("change", measure);
    addEventListener("resize", measure);
    measure();
    return () => {
      query.removeEventListener("change", measure);
      removeEventListener("resize", measure);
    };
  }, [wide, narrow]);
  return height || wide * 16;
}
