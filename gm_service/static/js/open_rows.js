// The rows of an ended import: all or those that became no orders; corrected in place or in a file, and run again.

import { get, post, postForm } from "./api.js";
import { ActButton, Message, useActing } from "./acting.js";
import { acceptDrops } from "./drop.js";
import { readBytes } from "./import_source.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { runAgain, runCorrected } from "./rerun.js";
import { RowTable } from "./row_table.js";
import { corrected } from "./row_values.js";
import { t } from "./texts.js";

const IMPORTS = "/station/order/batch";
const openOf = (counts) => (counts.failed ?? 0) + (counts.not_attempted ?? 0);

export function OpenRows({ task, isOpen, onChange }) {
  const open = openOf(task.counts);
  const [state, setState] = useState(isOpen || open > 0 ? "open" : "all");
  const [edits, setEdits] = useState(new Map());
  const [version, setVersion] = useState(0);
  const section = useRef(null);
  useEffect(() => {
    if (isOpen) {
      const heading = section.current.querySelector("h2");
      heading.focus({ preventScroll: true });
      heading.scrollIntoView();
    }
  }, []);
  const edit = (row, value) =>
    setEdits((old) => {
      const next = new Map(old);
      value === null ? next.delete(row.index) : next.set(row.index, { value, order: corrected(row.order, row.column, value) });
      return next;
    });
  const ran = () => {
    setEdits(new Map());
    setVersion((number) => number + 1);
    onChange();
  };
  const counts = { open, failed: task.counts.failed ?? 0, all: task.counts.total };
  const shown = counts[state] === undefined ? "all" : state;
  return html`<section ref=${section} aria-labelledby="rows-title" class="open-rows">
    <h2 id="rows-title" tabindex="-1">${t("rows")}</h2>
    ${open > 0 && html`<${Corrections} task=${task} edits=${edits} onRan=${ran} />`}
    <label class="choice">${t("rows_shown")}
      <select id="rows-shown" value=${shown} onChange=${(event) => setState(event.target.value)}>
        ${["open", "failed", "all"].map((each) => html`<option value=${each} selected=${each === shown}>${t(`rows_${each}`, { count: counts[each] })}</option>`)}
      </select>
    </label>
    <${RowTable} key=${`${shown}-${version}`} taskId=${task.task_id} state=${shown} count=${counts[shown]} edits=${edits} onEdit=${edit} />
  </section>`;
}

function Corrections({ task, edits, onRan }) {
  const [run, busy, message, say] = useActing();
  const isStopped = useRef(false);
  const [isPartwise, setPartwise] = useState(false);
  const before = openOf(task.counts);
  const told = (counts) => {
    const open = openOf(counts);
    const facts = { created: Math.max(before - open, 0), open };
    onRan();
    return { text: open ? t("amended_some", facts) : t("amended_all", facts), tone: open ? "warn" : "good" };
  };
  const amend = (rows) => post(`${IMPORTS}/amend`, { platform_task_id: task.task_id, rows });
  async function partwise(total, work) {
    let counts = task.counts;
    isStopped.current = false;
    setPartwise(true);
    const tell = (done) => say({ text: t("rows_run", { done, total: Math.max(done, total) }), tone: "" });
    const onPart = (done, answered) => {
      counts = answered;
      tell(done);
    };
    tell(0);
    try {
      await work({ amend, onPart, isStopped: () => isStopped.current });
    } catch (error) {
      onRan();
      throw error;
    } finally {
      setPartwise(false);
    }
    return told(counts);
  }
  const again = (state, total) =>
    run(() =>
      partwise(total, ({ amend: send, ...options }) =>
        runAgain(state, {
          ...options,
          listRows: (rowState, after, limit) => get(`${IMPORTS}/rows`, { platform_task_id: task.task_id, state: rowState, after, limit }),
          amend: (indexes) => send(indexes.map((index) => ({ index }))),
        }),
      ),
    );
  const these = () =>
    run(() => partwise(edits.size, (options) => runCorrected([...edits].map(([index, { order }]) => ({ index, order })), options)));
  const upload = (input) =>
    run(async () => {
      try {
        const file = input.files[0];
        const content = new File([await readBytes(file)], file.name);
        return told(await postForm(`${IMPORTS}/amend`, { platform_task_id: task.task_id, file: content }));
      } finally {
        input.value = "";
      }
    });
  const { failed = 0, not_attempted: waiting = 0 } = task.counts;
  return html`<div class="corrections panel">
    <p>${t("correct_intro")}</p>
    <div class="actions">
      <${ActButton} class="primary" id="run-these" busy=${busy} disabled=${edits.size === 0} onClick=${these}>${t("run_these", { count: edits.size })}<//>
      ${waiting > 0 && html`<${ActButton} busy=${busy} onClick=${() => again("waiting", waiting)}>${t("run_waiting", { count: waiting })}<//>`}
      ${failed > 0 && html`<${ActButton} busy=${busy} onClick=${() => again("failed", failed)}>${t("run_failed", { count: failed })}<//>`}
      ${isPartwise && html`<button type="button" onClick=${() => (isStopped.current = true)}>${t("stop")}</button>`}
    </div>
    <div class="actions">
      <a class="button" href=${`${IMPORTS}/open_rows?platform_task_id=${task.task_id}`}>${t("download_open_rows")}</a>
      <${FileDrop} label=${t("upload_corrected")} accept=".xlsx,.csv,text/csv" onChosen=${upload} />
    </div>
    <${Message} message=${message} />
  </div>`;
}

/** A field for one file, chosen or dropped; `onChosen` is called with the input. */
export function FileDrop({ label, accept, onChosen, name = "file" }) {
  const input = useRef(null);
  const zone = useRef(null);
  useEffect(() => acceptDrops(zone.current, input.current), []);
  return html`<label class="drop" ref=${zone}>${label}<input ref=${input} type="file" name=${name} accept=${accept} onChange=${() => onChosen(input.current)} /></label>`;
}
