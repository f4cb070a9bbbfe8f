// The graph of a job's tasks, laid out by dagre; nodes are reached by Tab and opened by Enter.

import { html, useMemo } from "./preact.js";
import { Graph, layout } from "../vendor/dagre-3.1.3.js";
import { jobMark, jobState } from "./job_words.js";
import { t } from "./texts.js";

const NODE = { width: 176, height: 48 };
const MARGIN = 8;

export function JobGraph({ tasks, chosen, onChoose }) {
  // Where things stand follows from the edges alone; states change while it runs.
  const edges = JSON.stringify(tasks.map((task) => [task.task_label, task.task_dependencies]));
  const graph = useMemo(() => arranged(tasks), [edges]);
  const { width, height } = graph.graph();
  const press = (label) => (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onChoose(label);
    }
  };
  return html`<div class="scroll graph"><svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="group" aria-label=${t("graph")}>
    <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" class="arrow" /></marker></defs>
    ${graph.edges().map((edge) => html`<path class="edge" d=${pathOf(graph.edge(edge).points)} marker-end="url(#arrow)" />`)}
    ${tasks.map((task) => {
      const { x, y } = graph.node(task.task_label);
      const label = task.task_label;
      return html`<g
        key=${label}
        class=${`node ${task.task_status} ${label === chosen ? "chosen" : ""}`}
        transform=${`translate(${x - NODE.width / 2} ${y - NODE.height / 2})`}
        tabindex="0"
        role="button"
        aria-pressed=${label === chosen}
        aria-label=${`${label}: ${jobState(task.task_status)}`}
        onClick=${() => onChoose(label)}
        onKeyDown=${press(label)}
      >
        <rect width=${NODE.width} height=${NODE.height} rx="6" />
        <foreignObject x="12" y="5" width=${NODE.width - 20} height="22"><div class="label">${label}</div></foreignObject>
        <text x="12" y="39" class="small">${jobMark(task.task_status)} ${jobState(task.task_status)}</text>
      </g>`;
    })}
  </svg></div>`;
}

function arranged(tasks) {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 48, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  tasks.forEach((task) => graph.setNode(task.task_label, { ...NODE }));
  for (const task of tasks) {
    const before = (task.task_dependencies ?? "").split(",").filter((label) => graph.hasNode(label));
    before.forEach((label) => graph.setEdge(label, task.task_label));
  }
  layout(graph);
  return graph;
}

function pathOf([first, ...rest]) {
  return `M${first.x} ${first.y} ${rest.map(({ x, y }) => `L${x} ${y}`).join(" ")}`;
}
