// A row for each stack's pollutant: now, the block so far, its limit, and what it may still average.

import { $, el, keyed, set, svg, table, text } from "./dom.js";
import { age, level, minute, percent, pollutant, unit } from "./format.js";
import { ageOf, key, now, state, zoneOf } from "./state.js";
import { drawTrend, lastKnown, makeTrend, points } from "./trend.js";
import { shown } from "./rows.js";
import { view } from "./view.js";

const NOW = "1min";
const FIRST_MS = 60_000; // what is or was over its limit stays at the top for so long
const WIDE = 120;
const HEAD = ["Stack", "Pollutant", "Now", "So far", "Limit", "May still average", "Breach unavoidable", "Measured", "State", "8 h"];

const troubled = new Map(); // row → when it was last over, performance.now()

/** Each stack's pollutants, what is over its limit first, with the rolling minute and the blocks, of the stacks behind what is shown. */
function rows() {
  const scopes = new Set(shown());
  const stacks = state.plant.stacks.filter((s) => s.lines.length === 0 || s.lines.some((line) => scopes.has(line)));
  const found = new Map();
  for (const e of state.emissions.values()) {
    const stack = stacks.find((s) => s.scope === e.scope);
    if (!stack) continue;
    const name = key(e.scope, e.pollutant);
    if (!found.has(name)) found.set(name, { name, stack, pollutant: e.pollutant, blocks: [] });
    if (e.average === NOW) found.get(name).now = e;
    else found.get(name).blocks.push(e);
  }
  for (const row of found.values()) row.blocks.sort((a, b) => a.block_minutes - b.block_minutes);
  const rank = (row) => (performance.now() - (troubled.get(row.name) ?? -Infinity) < FIRST_MS ? 0 : 1);
  for (const row of found.values()) if (["over", "near"].includes(condition(row, row.blocks[0])[1])) troubled.set(row.name, performance.now());
  return [...found.values()].sort((a, b) => rank(a) - rank(b) || a.stack.name.localeCompare(b.stack.name) || a.pollutant.localeCompare(b.pollutant));
}

/** The stacks that have a row. */
export const stacksShown = () => [...new Set(rows().map((row) => row.stack.scope))];

export const averages = () => (rows().length ? [NOW] : []);

function make(row) {
  const part = {};
  const put = (name, node) => (part[name] = node);
  part.fill = svg("rect", { class: "fill", y: 3, height: 8 });
  part.tick = svg("path", { class: "tick" });
  const bar = svg("svg", { class: "block", viewBox: `0 0 ${WIDE} 14`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "track", y: 3, height: 8, width: WIDE }), part.fill, part.tick);
  const node = el("tr", { "data-testid": "stack-row", "data-scope": row.stack.scope, "data-pollutant": row.pollutant },
    el("td", { class: "stack" }, row.stack.name, el("small", {}, row.stack.site)),
    el("th", { scope: "row" }, pollutant(row.pollutant)),
    el("td", { class: "now" }, put("now", el("b", {})), " ", put("unit", el("small", {}))),
    el("td", { class: "so-far" }, put("block", el("span", { class: "figure" })), bar, put("average", el("small", {}))),
    put("limit", el("td", { class: "limit" })),
    put("allowed", el("td", { class: "allowed" })),
    put("breach", el("td", { class: "breach" })),
    put("measured", el("td", { class: "measured" })),
    put("state", el("td", { class: "state" })),
    el("td", { class: "small-trend" }, put("trend", makeTrend())));
  node.bits = part;
  return node;
}

const above = (emission) => emission?.value != null && emission.limit != null && emission.value > emission.limit;

function condition(row, block) {
  const rolling = row.now ?? block;
  if (!state.live) return ["NOT LIVE", "lost"];
  if (rolling.value == null && state.progress) return ["not yet", "withheld"];
  if (rolling.stale) return [`STALE ${age(ageOf(rolling))}`, "stale"];
  if (above(block)) return [`▲ over limit${sure(block)}`, "over"];
  if (block?.unavoidable_at != null) return ["▲ heading over", "over"];
  if (above(rolling)) return [`△ above limit now${sure(rolling)}`, "near"];
  if (rolling.value == null) return ["NO VALUE", "withheld"];
  return ["", ""];
}

/** Whether all of its band is over the limit too; nothing where no uncertainty is declared. */
const sure = (emission) => (emission.low == null ? "" : `, ${emission.breach} uncertainty`);

function update(node, row) {
  const part = node.bits;
  const block = row.blocks[0];
  const rolling = row.now ?? block;
  const zone = zoneOf([row.stack.site]);
  const [word, kind] = condition(row, block);
  set(node, "class", kind || null);
  set(node, "data-value", rolling.value ?? "");
  const list = points(row.stack.scope, row.pollutant, rolling.average);
  const known = rolling.value ?? lastKnown(key(row.stack.scope, row.pollutant, rolling.average), list)?.value;
  set(part.now, "class", above(rolling) ? "above" : null);
  text(part.now, rolling.value == null ? "––" : level(rolling.value));
  text(part.unit, rolling.value == null && known != null ? `last ${level(known)} ${unit(rolling.unit)}` : unit(rolling.unit));
  part.block.classList.toggle("above", above(block));
  text(part.block, block ? level(block.value) : "––");
  text(part.average, block?.average ?? "");
  const limit = block?.limit ?? rolling.limit;
  bar(part, block?.value, limit);
  text(part.limit, limit == null ? "none" : level(limit));
  text(part.allowed, allowed(block));
  part.breach.classList.toggle("above", block?.unavoidable_at != null);
  text(part.breach, breach(block, zone));
  text(part.measured, block ? `${block.valid_minutes}/${block.elapsed_minutes} min${block.valid || block.lifecycle === "live" ? "" : ": too few"}` : percent(rolling.completeness));
  const life = rolling.lifecycle === "restated" ? `restated r${rolling.revision}` : rolling.lifecycle;
  const told = [rolling.quality, rolling.operation, life, `${age(ageOf(rolling))} ago`].join(" · ");
  const day = row.blocks.slice(1).map((b) => `${b.average} ${level(b.value)}${b.limit == null ? "" : ` of ${level(b.limit)}`}${b.unit === "mg/m3" ? "" : ` ${b.unit}`}`);
  text(part.state, [word, rolling.reason, told, ...day].filter(Boolean).join(" · "));
  part.trend.toggleAttribute("hidden", !view.trend);
  if (view.trend) drawTrend(part.trend, list, limit, level);
}

function allowed(block) {
  if (block?.allowed_mean == null) return "––";
  const left = block.block_minutes - block.elapsed_minutes;
  if (block.allowed_mean <= 0) return `nothing for ${left} min`;
  return `${level(block.allowed_mean)} for ${left} min`;
}

function breach(block, zone) {
  if (!block || block.limit == null) return "––";
  if (block.unavoidable_at == null) return "no";
  return block.unavoidable_at <= now() ? `since ${minute(block.unavoidable_at, zone)}` : `${minute(block.unavoidable_at, zone)} at this level`;
}

function bar(part, value, limit) {
  const top = Math.max((limit ?? value ?? 1) * 1.25, value ?? 0) || 1;
  set(part.fill, "width", (((value ?? 0) / top) * WIDE).toFixed(1));
  set(part.tick, "d", limit == null ? null : `M${((limit / top) * WIDE).toFixed(1)} 0V14`);
}

export function renderStacks() {
  const section = $("stacks");
  const list = rows();
  section.hidden = list.length === 0;
  if (!section.firstElementChild) {
    section.append(el("h2", {}, "Stacks ", el("small", {}, "dry, standard state, reference oxygen · indicative")),
      table(HEAD));
  }
  keyed(section.querySelector("tbody"), list, (row) => row.name, make, update);
}
