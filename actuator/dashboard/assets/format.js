// Numbers, times and names as people read them.

const units = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]];

const trim = (n, digits) => String(+n.toFixed(digits));

// count writes a number with at most four or five characters.
export function count(n) {
  if (n === undefined || n === null || Number.isNaN(n)) return "–";
  for (const [at, letter] of units) if (Math.abs(n) >= at) return trim(n / (letter === "k" ? 1e3 : at), 1) + letter;
  if (Number.isInteger(n)) return String(n);
  return trim(n, Math.abs(n) >= 100 ? 0 : Math.abs(n) >= 10 ? 1 : 2);
}

// whole writes all digits, in groups.
export const whole = (n) => (Number.isFinite(n) ? n.toLocaleString("en") : "–");

export function bytes(n) {
  if (!Number.isFinite(n)) return "–";
  const steps = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  while (Math.abs(n) >= 1024 && i < steps.length - 1) [n, i] = [n / 1024, i + 1];
  return trim(n, n >= 100 || i === 0 ? 0 : 1) + " " + steps[i];
}

// duration writes seconds.
export function duration(s) {
  if (s === undefined || s === null || Number.isNaN(s)) return "–";
  const a = Math.abs(s);
  if (a === 0) return "0 s";
  if (a < 1e-3) return trim(s * 1e6, a < 1e-5 ? 1 : 0) + " µs";
  if (a < 1) return trim(s * 1e3, a < 0.01 ? 2 : a < 0.1 ? 1 : 0) + " ms";
  if (a < 60) return trim(s, a < 10 ? 2 : 1) + " s";
  if (a < 3600) return Math.floor(a / 60) + " m" + (a % 60 >= 1 ? " " + String(Math.floor(a % 60)).padStart(2, "0") + " s" : "");
  if (a < 86400) return Math.floor(a / 3600) + " h " + String(Math.floor((a % 3600) / 60)).padStart(2, "0") + " m";
  return Math.floor(a / 86400) + " d " + Math.floor((a % 86400) / 3600) + " h";
}

const inSeconds = { ns: 1e-9, "µs": 1e-6, "μs": 1e-6, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

// seconds reads a duration of Go: "1m2.5s", or a number of nanoseconds.
export function seconds(text) {
  if (typeof text === "number") return text * 1e-9;
  let sum = 0;
  for (const [, n, unit] of String(text || "").matchAll(/([\d.]+)(ns|µs|μs|us|ms|s|m|h)/g)) sum += n * inSeconds[unit];
  return String(text).startsWith("-") ? -sum : sum;
}

export const clock = (at) => (at ? new Date(at).toLocaleTimeString("en-GB") : "–");
export const stamp = (at) => (at ? new Date(at).toISOString().slice(0, 19).replace("T", " ") + " UTC" : "–");
export const ago = (at, now) => (at ? duration(Math.max(0, Math.round((now - new Date(at)) / 1000))) + " ago" : "–");

// metric writes a value in the unit that the metric's name ends with.
export function metric(name, value) {
  const of = base(name);
  if (of.endsWith("_seconds")) return duration(value);
  if (of.endsWith("_bytes")) return bytes(value);
  return count(value);
}

// base is the name of a metric without its labels.
export const base = (name) => name.split("{")[0];

// words are a name for a person: "busy_workers" is "busy workers".
export function words(name) {
  const labels = /\{(.*)\}$/.exec(name);
  const plain = base(name).replace(/_(seconds|bytes)$/, "").replaceAll("_", " ");
  return labels ? plain + " · " + labels[1].replace(/(^|,)\w+=/g, "$1") : plain;
}

// plural is a kind as the endpoints have it: "pool" is "pools".
export const plural = (kind) => (/(s|x|ch|sh)$/.test(kind) ? kind + "es" : kind.replace(/([^aeiou])y$/, "$1ie") + "s");

// knob writes the value of a knob.
export const knob = (value) => (value === undefined || value === null ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
