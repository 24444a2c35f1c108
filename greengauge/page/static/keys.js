// One key each; none while something is being typed or a dialog is open.

import { move, selected } from "./alarms.js";
import { acknowledge, help, shelve } from "./dialogs.js";
import { inOrder } from "./scopes.js";
import { state } from "./state.js";
import { choose, view } from "./view.js";
import { closeWhy, toggleWhy } from "./why.js";

function go(by) {
  const places = inOrder();
  choose({ scope: places[(places.indexOf(view.scope) + by + places.length) % places.length] });
}

export function cycle(by) {
  const { windows } = state.plant;
  choose({ window: windows[(windows.indexOf(view.window) + by + windows.length) % windows.length] });
}

function onAlarm(deed) {
  const alarm = selected();
  if (alarm) deed(alarm);
}

const KEYS = {
  ArrowUp: () => move(-1),
  ArrowDown: () => move(1),
  ArrowLeft: () => go(-1),
  ArrowRight: () => go(1),
  a: () => onAlarm(acknowledge),
  s: () => onAlarm(shelve),
  w: () => cycle(1),
  W: () => cycle(-1),
  t: () => choose({ trend: !view.trend }),
  l: () => choose({ normal: !view.normal }),
  y: toggleWhy,
  Escape: closeWhy,
  "?": help,
};

export function listen() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !state.plant) return;
    if (document.querySelector("dialog[open]") || event.target.closest("input, textarea, select")) return;
    const vertical = event.key === "ArrowUp" || event.key === "ArrowDown";
    if (vertical && (state.alarms.size === 0 || !document.querySelector("[data-testid=alarm-row]"))) return; // the page scrolls
    const deed = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!deed) return;
    event.preventDefault();
    deed();
  });
}
