// The league of a product: who makes it best. Like is compared with like; who differs is listed apart and why.

import { asker } from "./asking.js";
import { $, el, keyed, set, table, text } from "./dom.js";
import { ENERGIES } from "./energy.js";
import { degree, DEGREES, level, percent, place } from "./format.js";
import { key, tell } from "./state.js";
import { choose, view } from "./view.js";

const EVERY_MS = 10_000;
const HEAD = ["", "Place", "Value", "To the best", "Level", "Data", "Why"];
const chosen = { product: "", by: "comprehensive" };

let told = null;

const ask = asker(EVERY_MS, (body) => (told = body));

const wanted = ({ product, by }) => `/api/v1/league?${new URLSearchParams({ ...(product && { product }), by, window: view.window })}`;

function pick(name, label) {
  return el("label", {}, label, " ", el("select", { name, onchange: (event) => {
    chosen[name] = event.target.value;
    tell();
  } }));
}

function options(select, list, value) {
  keyed(select, list, ([id]) => id, ([id]) => el("option", { value: id }), (node, [, words]) => text(node, words));
  if (select.value !== value) select.value = value;
}

function make(row) {
  const part = {};
  const put = (name, node) => (part[name] = node);
  const { name, path } = place(row.scope);
  const node = el("tr", { "data-testid": "league-row", "data-scope": row.scope },
    put("rank", el("td", { class: "rank" })),
    el("th", { scope: "row" }, el("button", { type: "button", onclick: () => choose({ scope: row.scope }) }, name), el("small", {}, row.level === "line" ? path[path.length - 3] : row.level)),
    put("value", el("td", { class: "figure" }, el("b", {}), " ", el("small", {}))),
    put("distance", el("td", { class: "distance" })),
    put("level", el("td", { class: "level" })),
    put("data", el("td", { class: "data" })),
    put("why", el("td", { class: "state" })));
  node.bits = part;
  return node;
}

function update(node, row) {
  const part = node.bits;
  const shown = row.unit ? level : degree;
  set(node, "data-standing", row.standing);
  set(node, "data-value", row.value ?? "");
  text(part.rank, row.rank == null || row.alone ? "––" : `${row.rank}`);
  const [value, unit] = part.value.children;
  text(value, row.value == null ? "––" : shown(row.value));
  text(unit, row.value == null ? "" : row.unit);
  text(part.distance, row.distance == null || row.alone ? "––" : row.distance === 0 ? "best" : `${row.distance > 0 ? "+" : "−"}${shown(Math.abs(row.distance))}${row.distance_percent == null ? "" : ` (${row.distance_percent.toFixed(1)} %)`}`);
  text(part.level, row.norm_level == null ? "––" : `${row.norm_level}`);
  set(part.level, "title", row.norm);
  text(part.data, percent(row.completeness));
  text(part.why, [row.alone ? "nobody to compare with" : row.standing === "ranked" ? "" : row.standing === "apart" ? "not alike" : "not ranked", row.reason].filter(Boolean).join(": "));
  set(part.value, "title", [row.basis, row.boundary].filter(Boolean).join(" · ") || null);
}

export function renderLeague() {
  const box = $("league");
  if (!box.firstElementChild) {
    box.append(el("details", { open: true }, el("summary", {}, el("h2", {}, "League ", el("small", {}))),
      el("div", { class: "picks" }, pick("product", "of"), pick("by", "by")),
      table(HEAD)));
  }
  if (box.firstElementChild.open) ask(wanted(chosen));
  box.hidden = !told || told.products.length === 0;
  if (box.hidden) return;
  const [product, by] = box.querySelectorAll("select");
  options(product, told.products.map((id) => [id, id]), chosen.product || told.product);
  options(by, Object.entries({ ...ENERGIES, ...DEGREES }), chosen.by);
  text(box.querySelector("h2 small"), `${told.product}, ${told.window} · ${told.better} is better · from ${percent(told.least)} of the data on`);
  const rows = told.tables.flatMap((table) => {
    const alone = table.places.filter((row) => row.standing === "ranked").length < 2; // the best of one is no rank
    return table.places.map((row) => ({ ...row, level: table.level, alone: alone && row.standing === "ranked" }));
  });
  keyed(box.querySelector("tbody"), rows, (row) => key(row.scope), make, update);
}
