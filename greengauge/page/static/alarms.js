// The alarm list: what needs a person first. One row is selected; A and S act on it.

import { $, el, keyed, set, table, text } from "./dom.js";
import { age, counted, level, place, unit, when } from "./format.js";
import { key, now, state, tell, zoneOf } from "./state.js";
import { choose, view } from "./view.js";
import { acknowledge, shelve } from "./dialogs.js";

const SHAPES = { critical: ["◆", "C"], high: ["▲", "H"], medium: ["■", "M"], low: ["●", "L"] };
const STATES = ["unacknowledged", "returned", "acknowledged", "shelved", "suppressed", "out-of-service", "normal"];
const WORDS = { unacknowledged: "UNACKNOWLEDGED", returned: "returned, not acknowledged" };
const PRIORITIES = ["critical", "high", "medium", "low"];
const HEAD = ["", "State", "Alarm", "Place", "Value", "Limit", "Since", "Note", ""];

export const nameOf = (a) => key(a.scope, a.id);

export function listed() {
  return [...state.alarms.values()]
    .filter((a) => view.normal || a.state !== "normal")
    .sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state)
      || PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) || b.since - a.since || nameOf(a).localeCompare(nameOf(b)));
}

/** The selected alarm; the first one if none, or if the selected one is gone. */
export function selected() {
  const list = listed();
  return list.find((a) => nameOf(a) === view.alarm) ?? list[0] ?? null;
}

export function move(by) {
  const list = listed();
  if (!list.length) return;
  const at = list.indexOf(selected()) + by;
  view.alarm = nameOf(list[Math.max(0, Math.min(list.length - 1, at))]);
  tell();
  requestAnimationFrame(() => document.querySelector("#alarms [aria-selected=true]")?.focus());
}

function make(a) {
  const part = {};
  const put = (name, attributes = {}) => (part[name] = el("td", { class: name, ...attributes }));
  const name = nameOf(a);
  const current = () => state.alarms.get(name);
  const node = el("tr", { "data-testid": "alarm-row", "data-id": a.id, "data-scope": a.scope, onclick: () => choose({ alarm: name }) },
    put("priority"), put("state"), put("id"), put("place"), put("value"), put("limit"), put("since"), put("note"),
    el("td", { class: "deeds" },
      (part.ack = el("button", { type: "button", onclick: () => acknowledge(current()) }, "Ack")),
      (part.shelve = el("button", { type: "button", onclick: () => shelve(current()) }))));
  node.bits = part;
  return node;
}

function update(node, a) {
  const part = node.bits;
  const { path, level: kind } = place(a.scope);
  const zone = zoneOf(path);
  const chosen = a === selected();
  const [shape, letter] = SHAPES[a.priority] ?? ["●", "?"];
  set(node, "data-state", a.state);
  set(node, "data-priority", a.priority);
  set(node, "aria-selected", chosen ? "true" : "false");
  set(node, "tabindex", chosen ? "0" : "-1");
  text(part.priority, `${shape} ${letter}`);
  set(part.priority, "title", a.priority);
  text(part.state, WORDS[a.state] ?? a.state);
  text(part.id, a.id);
  text(part.place, `${kind} ${path.slice(1).join(" › ") || path[0]}`);
  text(part.value, a.value == null ? "––" : `${level(a.value)} ${unit(a.unit)}`.trimEnd());
  text(part.limit, a.limit == null ? "" : `${level(a.limit)} ${unit(a.unit)}`.trimEnd());
  text(part.since, `${when(a.since, zone, now())} (${age((now() - a.since) / 1000)})`);
  const until = a.shelved_until == null ? "" : `until ${when(a.shelved_until, zone, now())}`;
  const said = a.user ? `${a.user}${a.comment ? `: ${a.comment}` : ""}` : "";
  text(part.note, [unit(a.text ?? ""), until, said].filter(Boolean).join(" · "));
  part.ack.hidden = !["unacknowledged", "returned"].includes(a.state);
  text(part.shelve, a.state === "shelved" ? "Unshelve" : "Shelve");
  part.shelve.hidden = ["suppressed", "out-of-service"].includes(a.state);
}

export function renderAlarms() {
  const section = $("alarms");
  if (!section.firstElementChild) {
    section.append(
      el("div", { class: "banner" }, el("h2", {}), el("span", { class: "grow" }),
        el("button", { type: "button", class: "all", onclick: () => choose({ normal: !view.normal }) })),
      table(HEAD, { role: "grid", "aria-label": "Alarm list" }));
  }
  const all = [...state.alarms.values()];
  const of = (name) => all.filter((a) => a.state === name).length;
  const open = of("unacknowledged");
  const returned = of("returned");
  const other = all.length - of("normal") - (open || returned);
  const words = open ? `${counted(open)} unacknowledged`
    : returned ? `${counted(returned)} returned, not acknowledged`
    : of("acknowledged") ? "All alarms acknowledged" : other ? `No alarm, ${other} put aside` : "No alarm";
  const banner = section.querySelector("h2");
  text(banner, `${open ? "▲ " : ""}${words}${(open || returned) && other ? `, ${other} more` : ""}${state.live ? "" : ", as last heard"}`);
  section.classList.toggle("open", open > 0);
  text(section.querySelector(".all"), view.normal ? "hide normal" : `${all.length} watched`);
  section.querySelector(".scroll").hidden = listed().length === 0;
  document.title = `${open ? `▲ ${open} ` : ""}Greengauge`;
  keyed(section.querySelector("tbody"), listed(), nameOf, make, update);
}
