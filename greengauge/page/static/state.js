// What is true now, as far as this page knows. Written by socket.js, read by everything else.

export const state = {
  plant: null,
  version: "",
  seq: 0,
  now: 0, // the service's time of the last message, ms
  received: 0, // when that was here, performance.now()
  clock: 0,
  simulated: false,
  progress: null,
  live: false, // a message within the last three seconds
  ever: false,
  scores: new Map(),
  emissions: new Map(),
  alarms: new Map(),
  system: {},
  meters: {},
  known: new Map(), // key → the last value that was one, with its time
};

const changed = new Set();

export const onChange = (listener) => changed.add(listener);

export function tell() {
  for (const listener of changed) listener();
}

export const key = (...parts) => parts.join("|");

/** The service's time, now. */
export const now = () => state.now + (performance.now() - state.received);

/** Seconds since the newest reading behind a score or emission; it goes on growing when the link is lost. */
export const ageOf = (thing) => (thing?.last == null ? null : Math.max(0, now() - thing.last) / 1000);

export const silence = () => (performance.now() - state.received) / 1000;

function take(map, thing, name, message) {
  const last = thing.age == null ? null : message.now - thing.age * 1000;
  map.set(name, { ...thing, last });
  if (thing.value != null) state.known.set(name, { value: thing.value, ts: last ?? thing.ts });
}

export function apply(message) {
  if (message.type === "snapshot") {
    if (state.version && state.version !== message.version) return location.reload();
    for (const map of [state.scores, state.emissions, state.alarms]) map.clear();
    Object.assign(state, { plant: message.plant, version: message.version, system: {}, meters: {} });
  }
  const { seq, now: told, clock, simulated, progress } = message;
  Object.assign(state, { seq, now: told, clock, simulated, progress, received: performance.now(), live: true, ever: true });
  for (const s of message.scores) take(state.scores, s, key(s.scope, s.degree, s.window), message);
  for (const e of message.emissions) take(state.emissions, e, key(e.scope, e.pollutant, e.average), message);
  for (const [scope, second, third, last] of message.lasts) {
    const name = key(scope, second, third);
    const thing = state.scores.get(name) ?? state.emissions.get(name);
    if (thing) thing.last = last;
  }
  for (const a of message.alarms) state.alarms.set(key(a.scope, a.id), a);
  Object.assign(state.system, message.system);
  Object.assign(state.meters, message.meters);
  tell();
}

/** The link is down or silent: everything shown is marked so. */
export function lost() {
  if (!state.live) return;
  state.live = false;
  tell();
}

const TOO_SHORT = "not shown below"; // scoring's own words for a window that this degree is not shown over

/** The score to show: of the chosen window, else of the next longer one that this degree is shown over. */
export function scoreFor(scope, degree, window) {
  const windows = state.plant.windows;
  for (const w of windows.slice(Math.max(0, windows.indexOf(window)))) {
    const found = state.scores.get(key(scope, degree, w));
    if (found && !found.reason?.includes(TOO_SHORT)) return found;
  }
  return state.scores.get(key(scope, degree, window)) ?? null;
}

/** The windows that `scoreFor` needs: the one it shows, or every longer one while none of them is known to show it. */
export function windowsFor(scope, degree, window) {
  const found = scoreFor(scope, degree, window);
  if (!found) return [];
  return found.reason?.includes(TOO_SHORT) ? state.plant.windows.slice(state.plant.windows.indexOf(window)) : [found.window];
}

/** Which meters of a scope's lines are silent, in words. */
export function silentOn(scope) {
  const lines = state.plant.scopes.find((s) => s.id === scope)?.lines ?? [];
  const names = Object.entries(state.meters).filter(([, meter]) => meter.silent && lines.includes(meter.scope)).map(([name]) => name);
  return names.length ? `silent: ${names.join(", ")}` : "";
}

/** Alarms that stand on a scope, on its lines or on their stacks. */
export function alarmsOn(scope) {
  const lines = state.plant.scopes.find((s) => s.id === scope)?.lines ?? [];
  const stacks = state.plant.stacks.filter((s) => s.lines.some((line) => lines.includes(line))).map((s) => s.scope);
  const places = new Set([scope, ...lines, ...stacks]);
  return [...state.alarms.values()].filter((a) => places.has(a.scope) && STANDING.includes(a.state));
}

export const STANDING = ["unacknowledged", "acknowledged", "returned"];

/** The time zone of the site that a place's path names, else of the first. */
export const zoneOf = (path) => (state.plant.sites.find((s) => path.includes(s.name)) ?? state.plant.sites[0])?.zone ?? "UTC";
