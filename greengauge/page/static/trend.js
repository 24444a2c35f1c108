// Small trends: eight hours of every gauge shown, asked for once a minute, of the places on the screen only.

import { set, svg } from "./dom.js";
import { degree as number } from "./format.js";
import { key, now, state, tell } from "./state.js";
import { view } from "./view.js";

const EVERY_MS = 60_000;
const BUSY_MS = 4000; // while earlier steps are still being scored
const WIDE = 120;
const HIGH = 30;
const TOGETHER = 25; // places in one question: some hundred series, far below what the service answers at once
const GAP = 3; // usual spacings without a point before the line breaks

const series = new Map();
const asked = new Map();
let refused = null;
export const span = { start: 0, end: 0 };

async function ask(query) {
  const busy = Boolean(state.progress || state.system.scoring?.behind);
  const before = asked.get(query);
  const every = busy || before?.busy ? BUSY_MS : EVERY_MS; // once more when the work is done
  if (performance.now() - (before?.at ?? -Infinity) < every) return;
  asked.set(query, { at: performance.now(), busy });
  try {
    const answer = await fetch(`/api/v1/trend?${query}&for=8h&points=${WIDE}&end=${Math.round(now())}`);
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      refused = `not shown: ${body.error?.cause ?? answer.status}`; // asking again soon would be refused again
      return tell();
    }
    refused = null;
    Object.assign(span, { start: body.start, end: body.end });
    for (const t of body.trends) series.set(key(t.scope, t.degree ?? t.pollutant, t.window ?? t.average), t.points);
    tell();
  } catch {
    asked.set(query, { at: performance.now(), busy: true }); // tried again soon; the gauge says that there is no trend yet
  }
}

/** Why the service did not give the newest trends that were asked for, or null. */
export const refusal = () => refused;

function askAll(scopes, name, values) {
  for (const value of values) {
    for (let i = 0; i < scopes.length; i += TOGETHER) {
      const places = scopes.slice(i, i + TOGETHER).map((s) => ["scope", s]);
      ask(new URLSearchParams([...places, [name, value]]).toString());
    }
  }
}

/** Ask for what is on the screen, if it is due. */
export function refresh(scopes, windows, stacks, averages) {
  if (!view.trend || !state.live) return;
  askAll([...scopes].sort(), "window", windows);
  askAll([...stacks].sort(), "average", averages);
  for (const [query, { at }] of asked) if (performance.now() - at > 10 * EVERY_MS) asked.delete(query); // places left long ago
}

export const points = (scope, second, third) => series.get(key(scope, second, third)) ?? [];

export function lastKnown(name, list) {
  const known = state.known.get(name);
  if (known) return known;
  const found = list.findLast(([, value]) => value != null);
  return found ? { ts: found[0], value: found[1] } : null;
}

export function makeTrend() {
  return svg(
    "svg",
    { class: "trend", viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img" },
    svg("path", { class: "mark" }),
    svg("path", { class: "curve" }),
  );
}

/** Draw; `mark` is the benchmark or limit, drawn where it lies in the range. Says its range to a screen reader. */
export function drawTrend(node, list, mark, shown = number) {
  const values = list.filter(([, value]) => value != null);
  if (values.length < 2) {
    for (const path of node.children) set(path, "d", null);
    set(node, "aria-label", "no trend yet");
    return "";
  }
  let low = Math.min(...values.map(([, value]) => value));
  let high = Math.max(...values.map(([, value]) => value));
  const label = `${shown(low)} to ${shown(high)} in 8 h`;
  set(node, "aria-label", `trend: ${label}`);
  const least = Math.max(Math.abs(high), 1e-9) * 0.05;
  if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
  const x = (ts) => (((ts - span.start) / (span.end - span.start)) * WIDE).toFixed(1);
  const y = (value) => (HIGH - 3 - ((value - low) / (high - low)) * (HIGH - 6)).toFixed(1);
  const spacing = list.slice(1).map(([ts], i) => ts - list[i][0]).sort((a, b) => a - b);
  const most = GAP * (spacing[spacing.length >> 1] ?? 0);
  let path = "";
  let before = -Infinity;
  for (const [ts, value] of list) {
    if (value != null) path += `${ts - before > most ? "M" : "L"}${x(ts)} ${y(value)}`;
    before = value == null ? -Infinity : ts;
  }
  set(node.querySelector(".curve"), "d", path);
  const inside = mark != null && mark >= low && mark <= high;
  set(node.querySelector(".mark"), "d", inside ? `M0 ${y(mark)}H${WIDE}` : null);
  return label;
}
