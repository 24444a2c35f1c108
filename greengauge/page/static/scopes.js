// Where one is and where one can go: the path in the header, lines worst first, roll-ups.

import { $, el, keyed, set, text } from "./dom.js";
import { degree, place } from "./format.js";
import { trouble } from "./gauge.js";
import { allWorstFirst } from "./rows.js";
import { alarmsOn, scoreFor, state } from "./state.js";
import { choose, view } from "./view.js";

const LEVELS = ["enterprise", "site", "area", "industry", "region", "country"];

/** In the order of the list, for the arrow keys. */
export function inOrder() {
  return [...rollups().map((s) => s.id), ...allWorstFirst()];
}

const rollups = () =>
  state.plant.scopes
    .filter((s) => s.level !== "line")
    .sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || a.id.localeCompare(b.id));

/** The chosen place, or the widest one where it is unknown. */
export function settle() {
  const ids = state.plant.scopes.map((s) => s.id);
  if (!ids.includes(view.scope)) view.scope = rollups()[0]?.id ?? ids[0] ?? "";
  if (!state.plant.windows.includes(view.window)) view.window = state.plant.windows[0];
}

function make(scope) {
  const { level, name, path } = place(scope);
  const part = {};
  const where = level === "line" || level === "area" ? path[path.length - 2] : "";
  const node = el(
    "button",
    { type: "button", class: "scope", "data-scope": scope, onclick: () => choose({ scope }) },
    (part.mark = el("span", { class: "mark", "aria-hidden": "true" })),
    el("span", { class: "what" }, name, el("small", {}, level === "line" ? where : `${level}${where ? ` · ${where}` : ""}`)),
    (part.value = el("span", { class: "value" })),
  );
  node.bits = part;
  return node;
}

function update(node, scope) {
  const part = node.bits;
  const score = scoreFor(scope, "lcd", view.window) ?? scoreFor(scope, "gd", view.window);
  const standing = alarmsOn(scope);
  const open = standing.some((a) => a.state === "unacknowledged");
  const [word, kind] = score ? trouble(score) : ["", ""];
  set(node, "aria-current", scope === view.scope ? "true" : null);
  set(node, "data-state", open ? "alarm" : kind || "ok");
  text(part.mark, open ? "▲" : standing.length ? "△" : kind === "stale" || kind === "lost" ? "◇" : "");
  text(part.value, !score ? "––" : score.value == null ? word.toLowerCase() : degree(score.value));
  set(node, "aria-label", `${scope}: ${score?.value == null ? word || "no score" : degree(score.value)}${open ? ", unacknowledged alarm" : ""}`);
}

function group(name) {
  return el("div", { class: "group" }, el("h2", {}, name), el("div", { class: "list" }));
}

export function renderScopes() {
  const nav = $("scopes");
  if (!nav.firstElementChild) nav.append(group("Roll-ups · low-carbon"), group("Lines · worst first"));
  const [above, lines] = nav.querySelectorAll(".list");
  keyed(above, rollups().map((s) => s.id), (id) => id, make, update);
  keyed(lines, allWorstFirst(), (id) => id, make, update);
  crumbs();
}

function crumbs() {
  const { level, path } = place(view.scope);
  const ladder = ["enterprise", "site", "area", "line"];
  const steps = ladder.includes(level)
    ? path.map((name, i) => ({ name, scope: `${ladder[i]}:${path.slice(0, i + 1).join("/")}` }))
    : [{ name: path.join(" "), scope: view.scope }];
  keyed($("crumbs"), steps, (s) => s.scope,
    (s) => el("button", { type: "button", onclick: () => choose({ scope: s.scope }) }, s.name),
    (node, s) => set(node, "aria-current", s.scope === view.scope ? "location" : null));
}
