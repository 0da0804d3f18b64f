// What is known of the service, and who is told when it changes. Feed and pages
// meet here; nothing in here asks or draws.

import { History } from "./series.js";
import { base } from "./format.js";

const MOST_EVENTS = 1000;
const KEEP_ALL = 60; // so many components have their numbers kept, looked at or not
const KEEP_SEEN = 20; // else of those looked at last
const SNAPSHOT = 5; // seconds between two pictures of a distribution

export const state = {
  link: "connecting", // connecting, live, lost
  locked: false, // 401: a token is wanted
  hello: null,
  endpoints: new Set(),
  process: "",
  at: 0, // of the last picture
  life: "", // constructing … stopped
  stage: "",
  ready: false,
  inside: 0,
  progress: null,
  components: new Map(), // in the order in which they stop
  receipt: null, // of this process, once it has stopped
  ended: null, // {receipt}: the process before this one, if it was watched
  events: [],
  paused: false,
  version: 0, // of the picture
};

export const history = new History();
const seen = []; // components looked at, the last one last
const snapshots = new Map(); // of distributions, by component

let tell = () => {};
export const onChange = (f) => (tell = f);
export const changed = () => tell();

// begin takes in the first message of a process.
export function begin(hello) {
  const another = state.process && state.process !== hello.process;
  if (another) {
    state.ended = { receipt: state.receipt };
    history.marks.push({ at: Math.floor(Date.now() / 1000), text: "another process: pid " + hello.pid });
    state.events = [];
    state.receipt = null;
    snapshots.clear();
  }
  if (state.process !== hello.process) state.components = new Map();
  state.hello = hello;
  state.process = hello.process;
  state.endpoints = new Set((hello.endpoints || []).map((e) => e.method + " " + e.path));
  state.link = "live";
  state.locked = false;
  changed();
  return another;
}

// picture takes in a picture of one moment, whole or what has changed.
export function picture(p) {
  const map = p.full ? new Map() : state.components;
  for (const c of p.components || []) map.set(c.name, c);
  for (const name of p.gone || []) map.delete(name);
  state.components = map;
  state.at = p.at;
  state.life = p.state;
  state.stage = p.stage || "";
  state.ready = p.ready;
  state.inside = p.inside || 0;
  state.progress = p.progress || null;
  state.version++;
  record(Math.floor(p.at / 1000));
  changed();
}

export function event(e) {
  const last = state.events.at(-1);
  if (last && e.seq && e.seq <= last.seq) return;
  state.events.push(e);
  if (state.events.length > MOST_EVENTS) state.events.splice(0, state.events.length - MOST_EVENTS);
  changed();
}

// earlier takes in events that came before those that are known.
export function earlier(list) {
  const known = new Set(state.events.map((e) => e.seq));
  state.events = [...list.filter((e) => !known.has(e.seq)), ...state.events].sort((a, b) => a.seq - b.seq).slice(-MOST_EVENTS);
  changed();
}

export function receipt(r) {
  state.receipt = r;
  changed();
}

export function lost() {
  if (state.link === "live") state.link = "lost";
  changed();
}

// look says that somebody looks at a component: from now on all of its numbers
// are kept. It is true the first time: then the server's history is worth asking.
export function look(name) {
  const i = seen.indexOf(name);
  if (i >= 0) seen.splice(i, 1);
  seen.push(name);
  while (seen.length > KEEP_SEEN) {
    const gone = seen.shift();
    if (state.components.size > KEEP_ALL) {
      history.forget(gone);
      snapshots.delete(gone);
    }
  }
  return i < 0;
}

function record(second) {
  history.advance(second);
  const sum = { inside: state.inside, done: 0, failed: 0, accepted: 0, rejected: 0, risk: 0 };
  const all = state.components.size <= KEEP_ALL;
  for (const c of state.components.values()) {
    if (c.ledger) {
      for (const column of ["done", "failed", "accepted", "rejected"]) sum[column] += c.ledger[column] || 0;
      sum.risk += atRisk(c);
    }
    if (all || seen.includes(c.name)) recordOne(c, second);
  }
  for (const column in sum) history.put("", column, second, sum[column]);
}

function recordOne(c, second) {
  for (const column in c.ledger) history.put(c.name, column, second, c.ledger[column]);
  for (const name in c.metrics) history.put(c.name, name, second, c.metrics[name]);
  if (!c.dist || second % SNAPSHOT) return;
  let list = snapshots.get(c.name);
  if (!list) snapshots.set(c.name, (list = []));
  list.push({ second, dist: c.dist });
  while (list[0].second < second - 900) list.shift();
}

// since is a component's distribution as it was so many seconds ago; undefined:
// that is not known, or it did not run yet.
export function since(name, dist, span) {
  const from = history.end - span;
  return snapshots.get(name)?.find((s) => s.second >= from - SNAPSHOT && s.second <= from + SNAPSHOT)?.dist[dist];
}

// atRisk is the work inside that nothing would be left of after a kill -9: what
// is not written down in a journal.
export function atRisk(c) {
  const inside = c.ledger?.inside || 0;
  return inside - Math.min(inside, c.metrics?.journal_entries || 0);
}

// legend is what is known of a metric: {help, type}.
export const legend = (kind, metric) => state.hello?.legend?.[kind]?.[base(metric)] || {};

export const ofKind = (...kinds) => [...state.components.values()].filter((c) => kinds.includes(c.kind));

// lifeWord is one word for the whole: what the page's frame shows.
export function lifeWord() {
  if (!state.hello) return "reconnecting";
  if (state.receipt || state.life === "stopped") return "stopped";
  if (state.link !== "live") return "reconnecting";
  if (state.life === "stopping") return /delay|ingress|drain/.test(state.stage) ? "draining" : "stopping";
  if (state.life === "running" && /^drain(ing|ed)$/.test(state.stage)) return state.stage;
  return state.life === "constructing" ? "starting" : state.life;
}
