// What the visitor has chosen: place, window, trend, selected alarm. Kept for the next visit.

import { tell } from "./state.js";

function kept(name, otherwise) {
  try {
    return localStorage.getItem(`greengauge.${name}`) ?? otherwise;
  } catch {
    return otherwise; // storage is switched off
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(`greengauge.${name}`, value);
  } catch {
    // then not
  }
}

export const view = {
  scope: kept("scope", ""),
  window: kept("window", "1h"),
  trend: kept("trend", "on") === "on",
  user: kept("user", ""),
  alarm: "",
  normal: false, // alarms in their normal state are listed too
};

export function choose(changes) {
  Object.assign(view, changes);
  for (const name of ["scope", "window", "user"]) if (name in changes) keep(name, view[name]);
  if ("trend" in changes) keep("trend", view.trend ? "on" : "off");
  tell();
}
