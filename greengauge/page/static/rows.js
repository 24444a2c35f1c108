// A place and its four gauges; then each of its lines, worst first.

import { $, el, keyed, set, text } from "./dom.js";
import { amount, counted, place } from "./format.js";
import { makeGauge, updateGauge } from "./gauge.js";
import { alarmsOn, scoreFor, state } from "./state.js";
import { choose, view } from "./view.js";

export const ORDER = ["lcd", "gd", "cd", "sd"];
const SETTLED_MS = 10_000;

let order = [];
let orderedAt = -Infinity;
let orderedFor = "";

/** Small is bad: an alarm, then stale, then the low-carbon degree; what is idle comes last. */
export function rank(scope) {
  if (alarmsOn(scope).some((a) => a.state === "unacknowledged")) return -300;
  if (alarmsOn(scope).length) return -200;
  const score = scoreFor(scope, "lcd", view.window) ?? scoreFor(scope, "gd", view.window);
  if (!score) return 900;
  if (score.stale) return -100;
  return score.value ?? 800;
}

/** Lines worst first; they change places at most every ten seconds, so that nobody clicks on the wrong one. */
export function worstFirst(lines) {
  const wanted = [...lines].sort().join() + view.window;
  if (wanted !== orderedFor || performance.now() - orderedAt > SETTLED_MS) {
    order = [...lines].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
    [orderedFor, orderedAt] = [wanted, performance.now()];
  }
  return order;
}

let settled = [];

export function allWorstFirst() {
  const lines = state.plant.lines.map((line) => line.scope);
  settled = worstFirst(lines);
  return settled;
}

/** The chosen place and the lines below it. */
export function shown() {
  const scope = state.plant.scopes.find((s) => s.id === view.scope);
  if (!scope || scope.level === "line") return [view.scope];
  const inside = new Set(scope.lines);
  return [scope.id, ...settled.filter((line) => inside.has(line))];
}

function make(scope) {
  const { level, name, path } = place(scope);
  const part = {};
  const node = el(
    "div",
    { class: `row ${level}`, "data-scope": scope },
    el(
      "div",
      { class: "name" },
      el("h3", {}, el("button", { type: "button", onclick: () => choose({ scope }) }, name)),
      el("p", { class: "where" }, level === "line" ? path.slice(1, -1).join(" › ") : `${level}, all lines`),
      (part.state = el("p", { class: "operation" })),
      (part.alarm = el("p", { class: "has-alarm" })),
    ),
    (part.gauges = el("div", { class: "four" })),
  );
  node.bits = part;
  return node;
}

function update(node, scope) {
  const part = node.bits;
  const score = ORDER.map((degree) => scoreFor(scope, degree, view.window)).find(Boolean);
  const output = score && score.output != null ? `${amount(score.output)} ${score.output_unit} in ${score.window}` : "";
  text(part.state, score && !(state.progress && score.value == null) ? [score.operation, output].filter(Boolean).join(" · ") : "no score yet");
  const standing = alarmsOn(scope);
  const open = standing.filter((a) => a.state === "unacknowledged").length;
  const said = open ? "" : standing.some((a) => a.state === "returned") ? " (returned, not acknowledged)" : " (acknowledged)";
  text(part.alarm, standing.length ? `${open ? "▲" : "△"} ${counted(standing.length)}${said}` : "");
  part.alarm.classList.toggle("open", open > 0);
  set(node, "aria-label", scope);
  keyed(part.gauges, ORDER, (degree) => degree, (degree) => makeGauge(scope, degree), (gauge, degree) => updateGauge(gauge, { scope, degree }));
}

export function renderRows() {
  keyed($("gauges"), shown(), (scope) => scope, make, update);
  $("gauges").classList.toggle("single", shown().length === 1);
}
