// Numbers, times and names as people read them.

export const DEGREES = {
  lcd: "Low-carbon",
  gd: "Green",
  cd: "Circular",
  sd: "Smart",
};

const POLLUTANTS = { nox: "NOx", so2: "SO₂", pm: "PM", nh3: "NH₃", hg: "Hg", co: "CO", hcl: "HCl", hf: "HF", voc: "VOC" };

export const pollutant = (name) => POLLUTANTS[name] ?? name;

export const unit = (name) => name.replace("m3", "m³").replace("CO2", "CO₂");

/** Three decimals below 10, else as many as four digits leave. */
export function degree(value) {
  if (value == null) return "––";
  return value.toFixed(Math.abs(value) < 10 ? 3 : 1);
}

export function amount(value) {
  if (value == null) return "––";
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (size >= 10_000) return `${(value / 1e3).toFixed(1)} k`;
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 || size === 0 ? 2 : 3);
}

export function level(value) {
  if (value == null) return "––";
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 3);
}

export const counted = (alarms) => `${alarms} alarm${alarms > 1 ? "s" : ""}`;

export const percent = (share) => `${Math.floor(share * 100 + 1e-9)} %`;

/** `seconds` as one number and one unit. */
export function age(seconds) {
  if (seconds == null) return "never";
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const clocks = new Map();

function clock(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!clocks.has(key)) clocks.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }));
  return clocks.get(key);
}

export const time = (ms, zone) =>
  clock(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms);

export const minute = (ms, zone) => clock(zone, { hour: "2-digit", minute: "2-digit" }).format(ms);

export const day = (ms, zone) => clock(zone, { day: "2-digit", month: "short", year: "numeric" }).format(ms);

/** Time alone today, with the date on any other day. */
export function when(ms, zone, now) {
  const today = day(ms, zone) === day(now, zone);
  return today ? time(ms, zone) : `${clock(zone, { day: "2-digit", month: "short" }).format(ms)} ${minute(ms, zone)}`;
}

export function offset(ms, zone) {
  const parts = clock(zone, { timeZoneName: "shortOffset" }).formatToParts(ms);
  return parts.find((part) => part.type === "timeZoneName").value.replace("GMT", "UTC");
}

/** "line:acme/wuhu/pyro/k1" → level, path and last name. */
export function place(scope) {
  const colon = scope.indexOf(":");
  const path = scope.slice(colon + 1).split("/");
  return { level: scope.slice(0, colon), path, name: path[path.length - 1] };
}

const UNITS = { s: 1, min: 60, h: 3600, d: 86_400 };

export function seconds(window) {
  const found = /^([\d.]+)([a-z]+)$/.exec(window);
  return found ? Number(found[1]) * (UNITS[found[2]] ?? 0) : 0;
}
