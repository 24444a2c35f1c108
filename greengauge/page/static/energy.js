// A row for each product of each place shown: what a unit of it takes, and the norm's level. Asked for, not streamed.

import { asker } from "./asking.js";
import { $, el, keyed, set, table, text } from "./dom.js";
import { level, percent, place } from "./format.js";
import { shown } from "./rows.js";
import { key, state } from "./state.js";
import { view } from "./view.js";

const EVERY_MS = 5000;
export const ENERGIES = { electricity: "Power", heat: "Heat", comprehensive: "All energy" };
const HEAD = ["Place", "Product", ...Object.values(ENERGIES), "Level", "To the next level", "Data", "State"];

let told = { window: "", rows: new Map() };

const ask = asker(EVERY_MS, ({ energy }) => {
  const rows = new Map();
  for (const e of energy) {
    const name = key(e.scope, e.product);
    if (!rows.has(name)) rows.set(name, { name, scope: e.scope, product: e.product });
    rows.get(name)[e.energy] = e;
  }
  told = { window: view.window, rows };
});

const kinds = (row) => Object.keys(ENERGIES).map((kind) => row[kind]).filter(Boolean);
const judged = (e) => e.norm_level != null || e.next != null;

function make(row) {
  const part = {};
  const put = (name, node) => (part[name] = node);
  const { name, level: rank } = place(row.scope);
  const node = el("tr", { "data-testid": "energy-row", "data-scope": row.scope, "data-product": row.product },
    el("td", {}, name, el("small", {}, rank === "line" ? "" : rank)),
    el("th", { scope: "row" }, row.product),
    ...Object.keys(ENERGIES).map((kind) => put(kind, el("td", { class: "figure", "data-energy": kind, "data-name": ENERGIES[kind].toLowerCase() }, el("b", {}), " ", el("small", {})))),
    put("level", el("td", { class: "level" })),
    put("next", el("td", { class: "next" })),
    put("data", el("td", { class: "data" })),
    put("state", el("td", { class: "state" })));
  node.bits = part;
  return node;
}

function figure(cell, e) {
  const [value, unit] = cell.children;
  text(value, level(e?.value));
  text(unit, e?.value == null ? "" : e.unit);
  set(cell, "data-value", e?.value ?? "");
  set(cell, "title", [e?.basis, e?.boundary, e?.reason].filter(Boolean).join(" · ") || null);
}

/** "power 2"; a product that reaches no level is marked. */
function standing(e) {
  const name = ENERGIES[e.energy].toLowerCase();
  return e.norm_level == null ? `△ ${name} none` : `${name} ${e.norm_level}`;
}

function update(node, row) {
  const part = node.bits;
  for (const kind of Object.keys(ENERGIES)) figure(part[kind], row[kind]);
  const held = kinds(row).filter(judged);
  const short = held.some((e) => e.norm_level == null);
  const worst = kinds(row).reduce((a, b) => (b.completeness < a.completeness ? b : a));
  set(node, "class", !state.live ? "lost" : kinds(row).some((e) => e.stale) ? "stale" : short ? "near" : null);
  text(part.level, held.map(standing).join("\n") || "––"); // a line each, beside the one to the next level
  part.level.toggleAttribute("data-none", held.length === 0);
  set(part.level, "title", held.map((e) => `${e.norm}: ${e.levels.map(level).join(", ")} ${e.unit}`).join("; ") || null);
  text(part.next, held.map(missing).join("\n") || "––");
  text(part.data, percent(worst.completeness));
  const reasons = [...new Set(kinds(row).filter((e) => e.value != null || e.energy !== "heat").map((e) => e.reason).filter(Boolean))];
  text(part.state, [worst.quality === "good" ? "" : worst.quality, worst.operation === "running" ? "" : worst.operation, ...reasons].filter(Boolean).join(" · "));
}

function missing(e) {
  if (e.next == null) return "best";
  return `−${level(e.distance)} ${e.unit}${e.distance_percent == null ? "" : ` (${e.distance_percent.toFixed(1)} %)`}`;
}

export function renderEnergy() {
  ask(`/api/v1/energy?window=${encodeURIComponent(view.window)}`);
  const places = shown();
  const list = [...told.rows.values()].filter((row) => places.includes(row.scope));
  list.sort((a, b) => places.indexOf(a.scope) - places.indexOf(b.scope) || a.product.localeCompare(b.product));
  const section = $("energy");
  section.hidden = list.length === 0;
  if (!section.firstElementChild) {
    section.append(el("h2", {}, "Specific energy ", el("small", {})),
      table(HEAD));
  }
  text(section.querySelector("h2 small"), `${told.window} · per unit of product · level 1 is the best`);
  keyed(section.querySelector("tbody"), list, (row) => row.name, make, update);
}
