// Asking a person before anything changes: acknowledge, shelve, unshelve; and the help.

import { el, text } from "./dom.js";
import { unit } from "./format.js";
import { choose, view } from "./view.js";

/** A dialog with fields; Enter confirms, Escape leaves. `send` returns "" or what went wrong. */
function ask(title, said, fields, deed, send) {
  const inputs = {};
  const back = document.activeElement;
  const wrong = el("p", { class: "wrong", role: "alert" });
  const go = el("button", { class: "go" }, deed);
  const form = el("form", {},
    el("h2", {}, title), el("p", {}, said),
    ...fields.map(({ name, label, ...more }) =>
      el("label", {}, label, (inputs[name] = el("input", { name, autocomplete: "off", ...more })))),
    wrong,
    el("div", { class: "deeds" }, go, el("button", { type: "button", onclick: () => dialog.close() }, "Cancel (Esc)")));
  const dialog = el("dialog", { "aria-label": title }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    const trouble = await send(Object.fromEntries(Object.entries(inputs).map(([k, v]) => [k, v.value.trim()])));
    go.disabled = false;
    if (trouble) text(wrong, trouble);
    else dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (back?.isConnected) back.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  (inputs[fields.find((f) => f.first)?.name] ?? go).focus();
}

/** "" or what went wrong. */
async function post(path, body) {
  try {
    const answer = await fetch(`/api/v1/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      if (body.user) choose({ user: body.user });
      return "";
    }
    const { error } = await answer.json();
    return error.mend ? `${error.cause} (${error.mend})` : error.cause;
  } catch {
    return "The service did not answer: nothing was changed.";
  }
}

const alarmPath = (alarm) => `alarms/${[...alarm.scope.split("/"), alarm.id].map(encodeURIComponent).join("/")}`;
const name = () => ({ name: "user", label: "Who", value: view.user || "operator", required: true, maxlength: 100 });
const said = (alarm) => `${alarm.id} on ${alarm.scope}${alarm.text ? `: ${unit(alarm.text)}` : ""}`;

export function acknowledge(alarm) {
  ask("Acknowledge", said(alarm),
    [{ name: "comment", label: "Comment (may stay empty)", first: true, maxlength: 2000 }, name()],
    "Acknowledge (Enter)", ({ comment, user }) => post(alarmPath(alarm), { do: "acknowledge", user, comment }));
}

export function shelve(alarm) {
  if (alarm.state === "shelved") {
    ask("Unshelve", said(alarm), [{ ...name(), first: true }], "Unshelve (Enter)",
      ({ user }) => post(alarmPath(alarm), { do: "unshelve", user }));
    return;
  }
  ask("Shelve", `${said(alarm)}. It stays silent until the time is over.`,
    [{ name: "minutes", label: "Minutes", type: "number", min: 1, max: 1440, value: 30, required: true },
      { name: "comment", label: "Reason", first: true, required: true, maxlength: 2000 }, name()],
    "Shelve (Enter)", ({ minutes, comment, user }) => post(alarmPath(alarm), { do: "shelve", user, comment, for: `${minutes}min` }));
}

export function acceptClock() {
  ask("The wall clock is right", "What was received since it jumped is then judged by it: only if it shows the true time now.", [],
    "It is right (Enter)", () => post("clock", { do: "accept" }));
}

const KEYS = [
  ["← →", "the place before, the next one"], ["↑ ↓", "the alarm above, below"], ["A", "acknowledge the selected alarm; Enter confirms"],
  ["S", "shelve it for some minutes with a reason; a shelved one: unshelve"], ["W", "the next window; shift: the one before"],
  ["T", "trends on, off"], ["Y", "why the gauge in focus (else the low-carbon degree) moved; again or Esc: closed"], ["L", "list alarms in their normal state too"], ["?", "this help"],
];
const WORDS = [
  ["Low-carbon", "leading CO₂ for this output / CO₂ emitted"], ["Green", "theoretical consumption for this output / natural resources used"],
  ["Circular", "wastes of other industries used / material used"], ["Smart", "output / best peer's output in the same person-hours"],
  ["1.0", "the benchmark: the tick on each bar. The thin line below it is the range of the last eight hours"],
  ["bracket on a bar", "where the value may lie: declared uncertainty of the meters, and what is missing or estimated"],
  ["live, final, restated", "still open; closed; changed later, with the number of the revision"],
  ["STALE", "a meter that is needed has fallen silent: the value is the last one, with its age"],
  ["NOT LIVE", "this page has heard nothing for three seconds: nothing on it is current"],
];

export function help() {
  if (document.querySelector("dialog")) return;
  const table = (rows) => el("dl", {}, ...rows.flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, v)]));
  const close = el("button", { class: "go" }, "Close (Esc)");
  const dialog = el("dialog", { class: "help", "aria-label": "Help" },
    el("form", { method: "dialog" }, el("h2", {}, "Keys"), table(KEYS), el("h2", {}, "Words"), table(WORDS), el("div", { class: "deeds" }, close)));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}
