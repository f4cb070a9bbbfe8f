// The one place that names the vendored library; ../vendor/vendor.json says what it is and where it comes from.

export {
  Component,
  html,
  render,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "../vendor/htm-preact-3.1.1.js";
