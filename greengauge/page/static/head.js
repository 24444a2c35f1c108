// The header: plant time, the service's parts, the link; what long work is under way.

import { $, el, keyed, set, text } from "./dom.js";
import { age, offset, place, time, day } from "./format.js";
import { now, silence, state, zoneOf } from "./state.js";
import { choose, view } from "./view.js";
import { cycle } from "./keys.js";
import { acceptClock } from "./dialogs.js";
import { refusal } from "./trend.js";

const ALWAYS = ["intake", "store"];
const QUIET = ["quarantine"]; // what waits there is no trouble of the moment
const WORK = ["scoring", "restating"]; // catching up is work, not trouble
const LATE_MS = 10_000;

const zone = () => zoneOf(place(view.scope).path);

function clock() {
  const event = state.plant.history && state.clock;
  const shown = event ? state.clock : now();
  const behind = !event && state.clock && now() - state.clock > LATE_MS ? ` · scores of ${age((now() - state.clock) / 1000)} ago` : "";
  text($("clock"), `${day(shown, zone())} ${time(shown, zone())} ${offset(shown, zone())}${behind}`);
}

const fine = (part) => ["ok", "MQTT ok"].includes(part.text) || part.text?.startsWith("ok ");

function parts() {
  const shown = Object.entries(state.system)
    .filter(([name, part]) => ALWAYS.includes(name) || (!QUIET.includes(name) && !fine(part)))
    .sort(([a], [b]) => a.localeCompare(b));
  keyed($("parts"), shown, ([name]) => name, () => el("span", { class: "part" }), (node, [name, part]) => {
    const good = fine(part) || WORK.includes(name);
    text(node, `${good ? "" : "! "}${name} ${part.text ?? part.state ?? ""}`);
    set(node, "class", good ? "part" : part.state === "down" ? "part down" : "part late");
    set(node, "data-part", name);
  });
}

function link(wrong) {
  const live = state.live && !wrong;
  document.body.classList.toggle("not-live", !live);
  text($("link"), wrong ? "PAGE ERROR, not current" : live ? "● live" : "NOT LIVE");
  const lost = $("lost");
  lost.hidden = live;
  if (wrong) return text(lost, `PAGE ERROR, not current: a part of this page could not be drawn; what it shows may be old or missing. Reload it; if it stays, tell whoever runs Greengauge: ${wrong}`);
  const seconds = age(silence());
  if (!state.live) text(lost, state.ever ? `NOT LIVE: nothing heard for ${seconds}. What is shown is old. Connecting again …` : "Connecting …");
}

function progress() {
  const box = $("progress");
  const told = state.progress;
  box.hidden = !told;
  if (!told) return;
  if (!box.firstElementChild) box.append(el("span", {}), el("progress", {}));
  const [words, bar] = box.children;
  text(words, `${told.what}: ${Math.floor((told.done / Math.max(1, told.total)) * 100)} %`);
  bar.max = Math.max(1, told.total);
  bar.value = told.done;
  set(bar, "aria-label", told.what);
}

function held() {
  const jump = state.system.intake?.clock_jump_s;
  const box = $("held");
  box.hidden = !jump;
  if (!jump) return;
  text(box.firstElementChild, `The wall clock jumped by ${jump > 0 ? "+" : ""}${jump} s: readings are kept, decoding and alarms are held. Set it right, or say that it is.`);
  box.lastElementChild.onclick = acceptClock;
}

function windows() {
  const bar = $("bar");
  if (!bar.firstElementChild) {
    bar.append(el("div", { class: "windows", role: "group", "aria-label": "Window" }),
      el("button", { type: "button", class: "trend-switch", onclick: () => choose({ trend: !view.trend }) }));
    bar.firstElementChild.addEventListener("wheel", (event) => cycle(Math.sign(event.deltaY)), { passive: true });
  }
  keyed(bar.firstElementChild, state.plant.windows, (w) => w,
    (w) => el("button", { type: "button", onclick: () => choose({ window: w }) }, w),
    (node, w) => set(node, "aria-pressed", w === view.window ? "true" : "false"));
  text(bar.lastElementChild, `trend 8 h: ${!view.trend ? "off" : (refusal() ?? "on")}`);
  set(bar.lastElementChild, "aria-pressed", String(view.trend));
}

/** `wrong`: words of what could not be drawn, or null. */
export function renderLink(wrong) {
  link(wrong);
}

export function renderHead() {
  clock();
  parts();
  held();
  progress();
  windows();
  $("simulated").hidden = !state.simulated;
  text($("version"), `greengauge ${state.version}`);
}
