// The page: one frame after something changed, everything that shows differently is written.

import { renderAlarms } from "./alarms.js";
import { $ } from "./dom.js";
import { help } from "./dialogs.js";
import { renderHead, renderLink } from "./head.js";
import { renderEnergy } from "./energy.js";
import { renderLeague } from "./league.js";
import { listen } from "./keys.js";
import { ORDER, renderRows, shown } from "./rows.js";
import { renderScopes, settle } from "./scopes.js";
import { connect, wish } from "./socket.js";
import { averages, renderStacks, stacksShown } from "./stack.js";
import { onChange, scoreFor, state, windowsFor } from "./state.js";
import { caught, problem } from "./broken.js";
import { refresh } from "./trend.js";
import { view } from "./view.js";
import { renderWhy } from "./why.js";

let due = false;

/** The chosen window and those that stand in for it where a degree is not shown over it, of every place. */
function wanted() {
  const places = state.plant.scopes.flatMap((s) => ORDER.flatMap((d) => windowsFor(s.id, d, view.window)));
  return new Set([view.window, ...places]);
}

function trends() {
  const scopes = shown();
  const windows = new Set(scopes.flatMap((s) => ORDER.map((d) => scoreFor(s, d, view.window)?.window)).filter(Boolean));
  refresh(scopes, windows, stacksShown(), averages());
}

function choice() {
  if (state.live) wish(wanted());
}

/** Alarms first; one part that fails takes no other with it. The link comes last: it says that one did. */
const PARTS = [renderAlarms, settle, renderHead, renderScopes, renderRows, renderWhy, renderStacks, renderEnergy, renderLeague, trends, choice];

function render() {
  due = false;
  const failed = state.plant ? PARTS.map(caught).find(Boolean) : null;
  const wrong = problem() ?? failed;
  if (caught(() => renderLink(wrong))) {
    document.body.classList.add("not-live");
    $("link").textContent = "PAGE ERROR, not current";
  }
}

function soon() {
  if (due) return;
  due = true;
  requestAnimationFrame(render);
}

onChange(soon);
setInterval(soon, 1000); // ages grow by themselves
$("help-open").addEventListener("click", help);
listen();
connect();
soon();
