// Why a degree moved: the row below the gauges, one bar a cause, all that the API says and nothing else.

import { $, el, set, svg, text } from "./dom.js";
import { degree as number, DEGREES, place, when } from "./format.js";
import { now, scoreFor, tell, zoneOf } from "./state.js";
import { view } from "./view.js";

const EVERY_MS = 10_000;
const WIDE = 120;
const MOST = 8; // causes with a line of their own
const LEAST = 0.0005; // what shows as ±0.000 has none

let open = null; // { scope, degree }
let asked = { key: "", at: -Infinity };
let told = null; // the API's answer to `asked.key`
let back = null; // what had the focus before

export function openWhy(scope, degree) {
  if (open?.scope === scope && open.degree === degree) return closeWhy();
  back = document.activeElement;
  open = { scope, degree };
  told = null;
  asked = { key: "", at: -Infinity };
  tell();
}

export function closeWhy() {
  if (!open) return;
  open = null;
  tell();
  if (back?.isConnected) back.focus();
}

/** Of the gauge in focus, else of the chosen place's low-carbon degree. */
export function toggleWhy() {
  if (open && !document.activeElement.closest("[data-testid=gauge]")) return closeWhy();
  const { scope, degree } = document.activeElement.closest("[data-testid=gauge]")?.dataset ?? { scope: view.scope, degree: "lcd" };
  openWhy(scope, degree);
}

async function ask(scope, degree, window) {
  const query = new URLSearchParams({ scope, degree, window });
  const key = query.toString();
  if (asked.key === key && performance.now() - asked.at < EVERY_MS) return;
  if (asked.key !== key) told = null;
  asked = { key, at: performance.now() };
  let answer;
  try {
    const found = await fetch(`/api/v1/why?${key}`);
    const body = await found.json();
    answer = found.ok ? body : { text: `WHY: ${[body.error.cause, body.error.mend].filter(Boolean).join("; ")}`, causes: [] };
  } catch {
    answer = { text: "WHY: the service did not answer", causes: [] };
  }
  if (asked.key !== key) return; // another gauge was asked meanwhile
  told = answer;
  tell();
}

const signed = (value) => (Math.abs(value) < LEAST ? "0.000" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`);

function bar(value, most) {
  const wide = most ? (Math.abs(value) / most) * (WIDE / 2) : 0;
  return svg("svg", { class: "cause-bar", viewBox: `0 0 ${WIDE} 10`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: "zero", d: `M${WIDE / 2} 0V10` }),
    svg("rect", { class: value < 0 ? "down" : "up", x: value < 0 ? WIDE / 2 - wide : WIDE / 2, y: 2, width: wide, height: 6 }));
}

function line(cause, most) {
  const name = cause.id && cause.id !== cause.cause ? `${cause.cause} ${cause.id}` : cause.cause;
  const where = [cause.meter && `${cause.meter}.${cause.channel}`, cause.line && place(`line:${cause.line}`).name].filter(Boolean).join(", ");
  return el("li", { "data-testid": "why-cause", "data-cause": cause.cause, "data-contribution": cause.contribution },
    el("span", { class: "what" }, name), bar(cause.contribution, most), el("b", {}, signed(cause.contribution)), el("small", {}, where));
}

function rest(causes) {
  const sum = causes.reduce((all, c) => all + c.contribution, 0);
  return el("li", { class: "rest" }, el("span", { class: "what" }, causes.length > 1 ? `${causes.length} others` : "1 other"), el("span"), el("b", {}, signed(sum)), el("small"));
}

function make(node) {
  const part = (node.bits = {});
  node.append(
    el("div", { class: "head" }, (part.title = el("h2")), (part.moved = el("b", { class: "moved" })), el("span", { class: "grow" }),
      el("button", { type: "button", onclick: closeWhy }, "Close (Esc)")),
    (part.text = el("p", { class: "text", role: "status" })),
    (part.list = el("ul")),
  );
  return part;
}

function write(part, window) {
  const { scope, degree } = open;
  const { path, name } = place(scope);
  const zone = zoneOf(path);
  const times = told?.ts ? ` to ${when(told.ts, zone, now())}, against ${window} to ${when(told.before, zone, now())}` : "";
  text(part.title, `Why ${DEGREES[degree].toLowerCase()}, ${name}: ${window}${times}`);
  text(part.moved, told?.change == null ? "" : `${number(told.value_before)} → ${number(told.value)} (${signed(told.change)})`);
  text(part.text, told?.text ?? "asking…");
  const causes = told?.causes ?? [];
  const most = Math.max(...causes.map((c) => Math.abs(c.contribution)), 0);
  const own = causes.filter((c) => Math.abs(c.contribution) >= LEAST).slice(0, MOST);
  const others = causes.filter((c) => !own.includes(c));
  part.list.replaceChildren(...own.map((c) => line(c, most)), ...(others.length ? [rest(others)] : []));
}

/** Called with every frame: asks when it is due, writes only what is new. */
export function renderWhy() {
  const node = $("why");
  node.toggleAttribute("hidden", !open);
  for (const button of document.querySelectorAll(".why-open")) {
    const { scope, degree } = button.closest("[data-testid=gauge]").dataset;
    set(button, "aria-expanded", String(open?.scope === scope && open.degree === degree));
  }
  if (!open) return;
  const window = scoreFor(open.scope, open.degree, view.window)?.window ?? view.window;
  ask(open.scope, open.degree, window);
  const part = node.bits ?? make(node);
  set(node, "data-change", told?.change);
  const shown = `${asked.key} ${told?.text} ${told?.ts}`;
  if (node.shown === shown) return;
  node.shown = shown;
  write(part, window);
}
