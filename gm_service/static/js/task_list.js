// The list of tasks: follows a feed, draws what can be seen, moves by keys, selects and hides.

import { get, getChanged, post, serviceNow } from "./api.js";
import { Message, useActing } from "./acting.js";
import { isNotifying, leftTasks, tellEnded } from "./endings.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./preact.js";
import { TaskFeed } from "./task_feed.js";
import { FILTERS } from "./task_filters.js";
import { TaskRow } from "./task_row.js";
import { hasEnded } from "./task_words.js";
import { formatDuration, t } from "./texts.js";
import { useKeys } from "./keys.js";
import { useKeptFocus, useRowHeight, useVisibleRows } from "./visible_rows.js";

const WIDE_REM = 5.5;
const NARROW_REM = 13.2;
const STALE_MS = 30_000;
const HIDDEN_AT_ONCE = 200;

const isMine = (task) => task.submitted_by !== null && task.submitted_by === document.querySelector('meta[name="username"]')?.content;

/** Return the feed of these filters and what it has. */
export function useFeed(filters) {
  const feed = useMemo(() => new TaskFeed(tellEnded, getChanged, isNotifying), []);
  const [state, setState] = useState(feed.state);
  const key = JSON.stringify(filters);
  useEffect(() => feed.subscribe(setState), [feed]);
  useEffect(() => leftTasks.meet(state.tasks), [state.tasks]);
  useEffect(() => {
    feed.show(filters);
    return () => {
      leftTasks.leave(feed.active().filter(isMine));
      feed.stop();
    };
  }, [key]);
  useEffect(() => {
    const look = () => (document.hidden ? feed.plan() : feed.soon());
    const soon = () => feed.soon();
    const lost = () => feed.set({ failure: new Error(t("offline")) });
    document.addEventListener("visibilitychange", look);
    addEventListener("online", soon);
    addEventListener("offline", lost);
    addEventListener("tasks-changed", soon);
    return () => {
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", soon);
      removeEventListener("offline", lost);
      removeEventListener("tasks-changed", soon);
    };
  }, [feed]);
  return [feed, state];
}

export function TaskList({ query }) {
  const filters = Object.fromEntries(FILTERS.filter((name) => query[name]).map((name) => [name, query[name]]));
  const [feed, state] = useFeed(filters);
  const { tasks } = state;
  const [selected, setSelected] = useState(new Set());
  const now = useNow(tasks.some((task) => !hasEnded(task)));
  const toggle = (taskId) => setSelected((old) => (old.has(taskId) ? new Set([...old].filter((id) => id !== taskId)) : new Set([...old, taskId])));
  return html`
    <${Freshness} state=${state} onRefresh=${() => feed.soon()} />
    <${Selection} tasks=${tasks} selected=${selected} filters=${filters} onChange=${(ids) => setSelected(ids)} onHidden=${() => feed.soon()} />
    <${Rows} feed=${feed} state=${state} now=${now} selected=${selected} onSelect=${toggle} />
    ${!state.isLoading && tasks.length === 0 && html`<${Empty} isFiltered=${Object.keys(filters).length > 0} failure=${state.failure} />`}
  `;
}

function Rows({ feed, state, now, selected, onSelect }) {
  const list = useRef(null);
  const { tasks } = state;
  const height = useRowHeight(WIDE_REM, NARROW_REM);
  const [first, end] = useVisibleRows(list, tasks.length, height);
  useKeptFocus(list);
  const cursor = useCursor(list, tasks, height);
  useEffect(() => {
    if (end >= tasks.length && state.more && !state.failure) {
      feed.loadMore();
    }
  }, [end, tasks.length, state.more, state.failure]);
  const places = Array.from({ length: Math.max(end - first, 0) }, (_, place) => first + place);
  // The row that has the focus stays drawn, wherever the page is scrolled to.
  if (cursor >= 0 && cursor < tasks.length && !places.includes(cursor)) {
    places.push(cursor);
  }
  const onChange = useMemo(() => () => feed.soon(), [feed]);
  return html`<ul ref=${list} class="tasks" style=${{ height: `${tasks.length * height}px` }} aria-label=${t("tasks")} aria-busy=${state.isLoading}>
    ${state.isLoading && tasks.length === 0 && html`<li class="notice loading">${t("loading")}</li>`}
    ${places.map((place) => {
      const task = tasks[place];
      return html`<${TaskRow}
        key=${task.task_id}
        task=${task}
        now=${hasEnded(task) ? 0 : now}
        place=${place}
        count=${state.more ? -1 : tasks.length}
        top=${place * height}
        isSelected=${selected.has(task.task_id)}
        onSelect=${onSelect}
        onChange=${onChange}
      />`;
    })}
  </ul>`;
}

/** Follow the row that has the focus and let j and k move it; where its task goes, its neighbour takes its place. */
function useCursor(list, tasks, height) {
  const [cursor, setCursor] = useState(-1);
  const wanted = useRef(-1);
  const focused = useRef(null);
  useEffect(() => {
    const follow = (event) => {
      const row = event.target.closest?.("[data-task]");
      focused.current = row && list.current?.contains(row) ? Number(row.dataset.task) : null;
      setCursor(focused.current === null ? -1 : tasks.findIndex((task) => task.task_id === focused.current));
    };
    document.addEventListener("focusin", follow);
    return () => document.removeEventListener("focusin", follow);
  }, [tasks]);
  useLayoutEffect(() => {
    const place = tasks.findIndex((task) => task.task_id === focused.current);
    if (focused.current !== null && place < 0 && document.activeElement === document.body) {
      wanted.current = Math.min(Math.max(cursor, 0), tasks.length - 1);
      focused.current = null;
    }
    if (wanted.current >= 0 && tasks[wanted.current]) {
      const row = list.current.querySelector(`[data-task="${tasks[wanted.current].task_id}"]`);
      row?.querySelector("[data-row-link]").focus({ preventScroll: true });
      wanted.current = row ? -1 : wanted.current;
    }
  });
  const move = (step) => () => {
    const next = Math.min(Math.max(cursor + step, 0), tasks.length - 1);
    if (next >= 0) {
      wanted.current = next;
      reveal(list.current, next * height, height);
      setCursor(next);
    }
  };
  useKeys({ j: move(1), k: move(-1), x: () => focused.current && list.current.querySelector(`[data-task="${focused.current}"] input`)?.click() });
  return cursor;
}

function reveal(list, top, height) {
  const at = list.getBoundingClientRect().top + top;
  if (at < 80 || at + height > innerHeight) {
    scrollBy({ top: at - innerHeight / 3 });
  }
}

/** Return the service's time, a second at a time while it matters. */
export function useNow(isNeeded) {
  const [now, setNow] = useState(serviceNow);
  useEffect(() => {
    const timer = isNeeded && setInterval(() => setNow(serviceNow()), 1000);
    return () => clearInterval(timer);
  }, [isNeeded]);
  return now;
}

function Freshness({ state, onRefresh }) {
  useNow(true);
  const age = Date.now() - state.updatedAt;
  const isStale = state.updatedAt > 0 && (state.failure || (age > STALE_MS && state.tasks.some((task) => !hasEnded(task))));
  const text = state.updatedAt === 0 ? t("loading") : t("updated_ago", { time: formatDuration(age) });
  const isIdle = state.updatedAt > 0 && !state.failure && state.tasks.every(hasEnded);
  return html`<div class="bar">
      <p class=${isStale ? "warn" : "quiet"} id="freshness">${state.failure && state.updatedAt === 0 ? "" : text}${isIdle && ` · ${t("nothing_goes_on")}`}</p>
      <button type="button" onClick=${onRefresh}>${t("refresh")}</button>
    </div>
    <div role="status">
      ${state.failure &&
      html`<p class="notice bad" id="connection">
        ${state.tasks.length > 0 && !state.failure.isSignedOut && t("rows_are_old")} ${state.failure.message}
        ${state.failure.isSignedOut && html` <a href="/sign-in" target="_blank">${t("sign_in_in_new_tab")}</a>`}
      </p>`}
    </div>`;
}

function Selection({ tasks, selected, filters, onChange, onHidden }) {
  const [run, busy, message] = useActing();
  const chosen = tasks.filter((task) => selected.has(task.task_id) && hasEnded(task)).map((task) => task.task_id);
  const ended = tasks.filter(hasEnded);
  const isAll = ended.length > 0 && chosen.length === ended.length;
  const hide = (work) =>
    run(async () => {
      const count = await work();
      onChange(new Set());
      onHidden();
      return { text: t("hidden_count", { count }), tone: "good" };
    });
  return html`<div class="selection">
    <label class="choice"
      ><input type="checkbox" checked=${isAll} disabled=${ended.length === 0} onChange=${() => onChange(new Set(isAll ? [] : ended.map((task) => task.task_id)))} />
      ${chosen.length ? t("selected_count", { count: chosen.length }) : t("select_all_ended")}</label
    >
    <button type="button" id="hide-selected" disabled=${chosen.length === 0} aria-disabled=${busy ? "true" : null} onClick=${() => hide(() => hideTasks(chosen))}>
      ${t("hide_selected")}
    </button>
    <button
      type="button"
      id="hide-ended"
      disabled=${ended.length === 0}
      aria-disabled=${busy ? "true" : null}
      onClick=${() => confirm(t("hide_ended_sure")) && hide(() => hideEnded(filters))}
    >
      ${t("hide_ended")}
    </button>
    <${Message} message=${message} />
  </div>`;
}

async function hideTasks(taskIds) {
  for (let first = 0; first < taskIds.length; first += HIDDEN_AT_ONCE) {
    await post("/task/clear_show", { task_ids: taskIds.slice(first, first + HIDDEN_AT_ONCE) });
  }
  return taskIds.length;
}

/** Hide all that ended and that the filters let through, shown here or not. */
async function hideEnded(filters) {
  const state = ["finished", "partly", "failed"].includes(filters.state) ? filters.state : "ended";
  let count = 0;
  while (filters.state !== "active") {
    const { tasks } = await get("/pages/tasks", { ...filters, state, limit: HIDDEN_AT_ONCE });
    if (tasks.length === 0) {
      break;
    }
    count += await hideTasks(tasks.map((task) => task.task_id));
  }
  return count;
}

function Empty({ isFiltered, failure }) {
  if (failure) {
    return null;
  }
  return html`<p class="notice">
    ${isFiltered ? t("no_tasks_match") : t("no_tasks")}
    ${!isFiltered && html` <a href="/import">${t("import_orders")}</a> · <a href="/export">${t("export_orders")}</a>`}
  </p>`;
}
