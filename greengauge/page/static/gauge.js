// One degree of one place: number, bar with the benchmark at 1.0, trend, and all that says how far to trust it.

import { el, set, svg, text } from "./dom.js";
import { age, amount, degree as number, DEGREES, percent, unit } from "./format.js";
import { ageOf, key, now, scoreFor, silentOn, state } from "./state.js";
import { drawTrend, lastKnown, makeTrend, points } from "./trend.js";
import { view } from "./view.js";
import { openWhy } from "./why.js";

const WIDE = 200;
const HOUR_MS = 3_600_000;
const NOT_YET = "NOT YET";

export function makeGauge(scope, degree) {
  const part = {};
  const put = (name, node) => (part[name] = node);
  const node = el(
    "article",
    { class: "gauge", "data-testid": "gauge", "data-scope": scope, "data-degree": degree, onclick: () => openWhy(scope, degree) },
    el("h4", {}, el("span", {}, DEGREES[degree]), put("window", el("span", { class: "window" })), put("age", el("span", { class: "age", title: "age of the newest reading" })), put("flag", el("b", { class: "flag" })), put("why", el("button", { type: "button", class: "why-open", title: "Why did it move? (Y)" }, "why"))),
    el("div", { class: "top" }, put("value", el("span", { class: "value" })), put("drift", el("span", { class: "drift" })), put("trend", makeTrend())),
    put("meter", el("div", { class: "meter", role: "meter", "aria-valuemin": "0" })),
    put("state", el("p", { class: "facts" })),
    put("sums", el("p", { class: "facts sums" })),
  );
  part.fill = svg("rect", { class: "fill", y: 3, height: 8, x: 0 });
  part.range = svg("rect", { class: "range", y: 12.5, height: 1.5 });
  part.band = svg("path", { class: "band" });
  part.tick = svg("path", { class: "tick" });
  part.meter.append(
    svg("svg", { viewBox: `0 0 ${WIDE} 15`, preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "track", y: 3, height: 8, width: WIDE }), part.fill, part.range, part.band, part.tick),
  );
  node.bits = part;
  return node;
}

/** Full scale: 1.25, or more where the value needs it; a share of wastes ends at 1. */
function scale(degree, value) {
  if (degree === "cd") return Math.max(1, value ?? 0);
  return [1.25, 2, 3, 5, 10].find((top) => (value ?? 0) <= top) ?? value;
}

/** Word and class of what is wrong, worst first; "" where nothing is. */
export function trouble(score) {
  if (!state.live) return ["NOT LIVE", "lost"];
  if (score.value == null && state.progress) return [NOT_YET, "withheld"]; // the plant's past is still being scored
  if (score.stale) return ["STALE", "stale"];
  if (score.value == null) return [score.operation === "running" ? "WITHHELD" : score.operation.toUpperCase(), "withheld"];
  if (score.quality === "bad") return ["BAD DATA", "bad"];
  return ["", ""];
}

export function updateGauge(node, { scope, degree }) {
  const part = node.bits;
  const score = scoreFor(scope, degree, view.window);
  node.classList.toggle("empty", !score);
  part.trend.toggleAttribute("hidden", !view.trend);
  if (!score) return absent(node, part, degree);
  const list = points(scope, degree, score.window);
  const known = score.value ?? (score.stale ? lastKnown(key(scope, degree, score.window), list)?.value : null);
  const [word, kind] = trouble(score);
  set(node, "data-window", score.window);
  set(node, "data-value", score.value ?? "");
  set(node, "data-state", kind || "ok");
  set(node, "data-lifecycle", score.lifecycle);
  for (const name of ["stale", "lost", "withheld", "bad"]) node.classList.toggle(name, kind === name);
  node.classList.toggle("stale", score.stale && kind !== "withheld");
  text(part.window, score.window);
  set(part.window, "class", score.window === view.window ? "window" : "window other");
  const old = score.stale || !state.live;
  text(part.flag, word && (old ? `${word} ${age(ageOf(score))}` : word));
  text(part.age, word ? "" : `${age(ageOf(score))} ago`);
  text(part.value, number(known));
  drift(part.drift, old ? null : score.value, list);
  bar(part, degree, known);
  band(part, degree, score);
  set(part.why, "aria-label", `why did the ${DEGREES[degree]} degree of ${scope} move`);
  set(part.meter, "aria-label", `${DEGREES[degree]} degree of ${scope}, ${score.window}`);
  set(part.meter, "aria-valuenow", known ?? 0);
  set(part.meter, "aria-valuetext", `${number(known)}${word ? `, ${word}` : ""}${between(score)}, benchmark 1.0`);
  if (view.trend) {
    const said = drawTrend(part.trend, list, 1);
    range(part, degree, known, list);
    set(node, "title", [score.reason, said].filter(Boolean).join(" · "));
  }
  part.state.classList.toggle("doubt", score.quality !== "good" && word !== NOT_YET);
  if (word === NOT_YET) {
    text(part.state, "not scored yet");
    text(part.sums, "");
    return;
  }
  const life = score.lifecycle === "restated" ? `restated r${score.revision}` : score.lifecycle;
  text(part.state, [percent(score.completeness) + " data", score.quality, score.operation, life].join(" · "));
  const sums = `${between(score, "")}${amount(score.numerator)} / ${amount(score.denominator)} ${unit(score.unit)}${score.basis ? ` ${score.basis}` : ""}`;
  text(part.sums, [sums, score.reason, score.stale ? silentOn(scope) : ""].filter(Boolean).join(" · "));
  set(part.sums, "title", part.sums.textContent);
}

/** Before the first score of all there is still work to wait for; after it, a gap is one of the plant's. */
const notYet = () => (state.scores.size === 0 ? "not scored yet" : "not scored here");

function absent(node, part, degree) {
  set(node, "data-value", "");
  set(node, "data-window", view.window);
  set(node, "data-state", "none");
  text(part.window, view.window);
  text(part.value, "––");
  text(part.flag, "");
  text(part.age, "");
  text(part.drift, "");
  text(part.state, state.live ? notYet() : "NOT LIVE");
  text(part.sums, "");
  bar(part, degree, null);
  band(part, degree, { value: null });
  set(part.meter, "aria-label", `${DEGREES[degree]} degree`);
  set(part.meter, "aria-valuetext", notYet());
  set(part.meter, "aria-valuenow", 0);
  drawTrend(part.trend, [], 1);
}

function bar(part, degree, value) {
  const top = scale(degree, value);
  const at = (1 / top) * WIDE;
  set(part.fill, "width", value == null ? 0 : ((value / top) * WIDE).toFixed(2));
  set(part.tick, "d", degree === "cd" ? `M${WIDE - 0.5} 1V13` : `M${at.toFixed(1)} 0V15`);
  set(part.meter, "aria-valuemax", top);
}

/** "0.84 to 0.89", where an uncertainty is declared. */
const between = (score, before = ", ") => (score.value == null || score.low == null ? "" : `${before}${number(score.low)} to ${number(score.high)}${before ? "" : " · "}`);

/** Between which values it lies: a bracket over the bar. */
function band(part, degree, { value, low, high }) {
  set(part.meter, "data-low", value == null ? null : low);
  set(part.meter, "data-high", value == null ? null : high);
  if (value == null || low == null) return set(part.band, "d", null);
  const x = (v) => (Math.min(1, Math.max(0, v) / scale(degree, value)) * WIDE).toFixed(1);
  set(part.band, "d", `M${x(low)} 2V12M${x(low)} 7H${x(high)}M${x(high)} 2V12`);
}

/** The eight hours' lowest and highest under the bar. */
function range(part, degree, value, list) {
  const values = list.map(([, v]) => v).filter((v) => v != null);
  const top = scale(degree, value);
  const [low, high] = values.length > 1 ? [Math.min(...values), Math.max(...values)] : [0, 0];
  set(part.range, "x", ((low / top) * WIDE).toFixed(1));
  set(part.range, "width", (Math.min(1, (high - low) / top) * WIDE).toFixed(1));
}

/** Against an hour ago, if there is a point near it: an arrow and how much; a change below 0.005 is none. */
function drift(node, value, list) {
  const hourAgo = now() - HOUR_MS;
  const before = list.findLast(([ts, v]) => v != null && ts <= hourAgo && ts > hourAgo - HOUR_MS / 4);
  const moved = value != null && before ? value - before[1] : null;
  const words = moved == null ? "" : Math.abs(moved) < 0.005 ? "=" : `${moved < 0 ? "▾" : "▴"} ${Math.abs(moved).toFixed(3)}`;
  text(node, words);
  set(node, "title", moved == null ? null : "against an hour ago");
}
