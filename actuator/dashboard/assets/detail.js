// One component, whatever its kind: state, numbers, charts, distributions, what it
// runs, its knobs, actions, alarms and hooks. A component of the user's own is
// shown by this and nothing else; the pages of our kinds put their own in front.

import { h } from "./dom.js";
import { state, history, legend, look, since } from "./store.js";
import { can, inPath } from "./api.js";
import { prime } from "./feed.js";
import { use } from "./resource.js";
import { lines, histogram } from "./charts.js";
import { knobs, actions } from "./knobs.js";
import { auditTable } from "./page-config.js";
import { card, badge, value, number, explained, note, empty, failure, tree, table, linkTo, nameLink } from "./parts.js";
import { tip } from "./tip.js";
import * as format from "./format.js";
import * as help from "./help.js";

const ONE = "/components/{name}";
const ranges = { "1m": 60, "5m": 300, "15m": 900 };

// spanOf is the time that charts show, in seconds; it is in the URL. Unless one was
// chosen it is a minute, and five when there is more to see.
export const spanOf = (ctx) => ranges[ctx.query.range] || (history.age() > 60 ? 300 : 60);

export function rangeChooser(ctx) {
  return h("div", { class: "segmented", role: "group", "aria-label": "time range" },
    Object.keys(ranges).map((r) => h("button", { type: "button", "aria-pressed": String(spanOf(ctx) === ranges[r]), onclick: () => ctx.set({ range: r }) }, r)));
}

// gauge is a line of one number of a component, rate of how fast one grows.
export const gauge = (c, name, span, label, tone) => ({ label, tone, tip: explained(c, name), values: history.last(c.name, name, span) });
export const rate = (c, name, span, label, tone) => ({ label, tone, tip: explained(c, name), values: history.rate(c.name, name, span) });

// closer is what GET /components/{name}?inspect=true says.
export const closer = (c) => (can("GET", ONE) ? use(inPath(ONE, c.name), 2000, { inspect: "true" }) : { data: null });

// watch has all numbers of a component kept from now on, and asks for those before.
export function watch(name) {
  if (look(name) && can("GET", "/history")) prime(name);
}

// detail draws a component. special(c, ctx, closer) are the cards of its kind.
export function detail(ctx, special, verb) {
  const c = state.components.get(ctx.sel);
  if (!c) return [back(ctx), empty("There is no " + ctx.sel, state.components.size ? "It may have another name since the last start." : "Nothing is known yet.")];
  watch(c.name);
  const near = closer(c);
  return [
    back(ctx),
    h("div", { class: "title-row" },
      h("h1", null, c.name), badge(c.state), badge(c.health), c.gate && badge(c.gate),
      h("span", { class: "dim" }, [c.kind, c.module && "module " + c.module, c.band && "band " + c.band].filter(Boolean).join(" · ")),
      h("span", { class: "push" }, rangeChooser(ctx))),
    c.reason && h("p", { class: "reason " + (c.health === "DOWN" ? "bad" : "warn") }, c.reason),
    c.moved && note("It stops in another band than its own: " + c.moved),
    c.panics > 0 && h("p", { class: "failure" }, "Its panel has panicked ", c.panics, " times; the log says where."),
    h("div", { class: "columns", "data-component": c.name },
      h("div", { class: "wide" },
        special ? special(c, ctx, near) : charts(c, ctx),
        distributions(c, ctx),
        special ? others(c) : stats(near, true),
        inspection(c, near)),
      h("div", { class: "side" },
        knobs(c, verb), actions(c, near.data), alarmsOf(c), ledgerOf(c), hooksOf(c), standsOn(c), changesOf(c), special && stats(near, false))),
  ];
}

const back = (ctx) => !ctx.alone && h("p", { class: "back" }, h("a", { href: linkTo(ctx.page) }, "← " + ({ http: "all servers", journal: "journal and dead letters" }[ctx.page] || "all " + ctx.page)));

// charts draws every number of a component that moves.
function charts(c, ctx) {
  const span = spanOf(ctx);
  const names = Object.keys(c.metrics || {});
  if (!names.length && !c.ledger) return empty("No numbers", "Its panel tells no metrics. What is known of it is beside.");
  const groups = new Map();
  for (const name of names) {
    const base = format.base(name);
    groups.set(base, [...(groups.get(base) || []), name]);
  }
  return card("Numbers", null, h("div", { class: "charts" },
    c.ledger && flow(c, span),
    [...groups].map(([base, list]) => lines({
      title: format.words(base) + (isCounter(c, base) ? " per second" : ""), about: legend(c.kind, base).help, span, unit: base.endsWith("_seconds") && !isCounter(c, base) ? "seconds" : "count",
      series: list.slice(0, 6).map((name) => (isCounter(c, base) ? rate : gauge)(c, name, span, labelOf(name))),
    }))));
}

const isCounter = (c, name) => legend(c.kind, name).type === "counter";
const labelOf = (name) => /=([^,}]*)/.exec(name)?.[1] || "";

// flow is what goes through a gate per second.
export function flow(c, span) {
  return lines({
    title: "Throughput per second", span,
    series: ["done", "failed", "rejected"].map((column, i) => rate(c, column, span, column, [1, 4, 3][i])).filter((s, i) => i === 0 || c.ledger?.[s.label] > 0),
  });
}

function distributions(c, ctx) {
  const names = Object.keys(c.dist || {});
  if (!names.length) return null;
  const span = spanOf(ctx);
  return card("Distributions", { aside: h("span", { class: "dim" }, "last " + format.duration(span) + ", or since the start") }, h("div", { class: "charts" }, names.map((name) => histogram({
    title: format.words(name), about: legend(c.kind, name).help, dist: c.dist[name], before: since(c.name, name, span), unit: /_seconds/.test(name) ? "seconds" : "count",
  }))));
}

// others are all numbers of a component in words.
function others(c) {
  const names = Object.keys(c.metrics || {});
  return names.length > 0 && card("All numbers", null, h("dl", { class: "numbers" }, names.map((name) => [h("dt", null, format.words(name)), h("dd", null, number(c, name))])));
}

function inspection(c, near) {
  if (near.error) return card("A closer look", null, failure(near.error));
  const found = near.data?.inspect;
  if (!found || typeof found !== "object") return null;
  const { stats: _, flush_log: __, running, stacks, requests, ...rest } = found;
  return [
    running && card("Running now", { aside: h("span", { class: "dim" }, running.length + " tasks") }, table([
      { head: "Lane", grow: true, cell: (t) => t.lane || h("span", { class: "dim" }, "a closure") },
      { head: "For at least", num: true, help: "How long ago a look found it running first.", cell: (t) => format.duration(format.seconds(t.seen_for)) },
      { head: "Key", cell: (t) => t.key || "–" },
      { head: "Try", num: true, help: "Which attempt it is.", cell: (t) => t.attempt || "–" },
    ], running.slice(0, 100), { label: "running tasks", empty: empty("Nothing runs", "No worker has a task at this moment.") })),
    stacks?.length > 0 && card("Where they are", { aside: h("span", { class: "dim" }, "stacks of the workers' tasks") }, stacks.map((s, i) => h("details", { class: "stack", open: i === 0 },
      h("summary", null, h("b", { class: "num" }, s.count), " at ", h("code", null, s.at)), h("pre", { tabindex: "0" }, s.stack)))),
    requests && card("Requests in flight", { aside: h("span", { class: "dim" }, requests.length) }, table([
      { head: "Method", tight: true, cell: (r) => r.method }, { head: "Route", grow: true, cell: (r) => h("code", null, r.route) },
      { head: "Age", num: true, help: "How long ago it came in.", cell: (r) => format.duration(format.seconds(r.age)) },
      { head: "", cell: (r) => r.endless && badge("stream", "It has no end of its own.") },
    ], requests.slice(0, 200), { label: "requests in flight", empty: empty("No request is in flight") })),
    Object.keys(rest).length > 0 && card("A closer look", null, tree(rest)),
  ];
}

function ledgerOf(c) {
  if (!c.ledger) return null;
  const l = c.ledger;
  const balanced = l.accepted === l.done + l.failed + l.saved + l.dropped + l.lost + l.inside && l.offered === l.accepted + l.rejected;
  const elsewhere = c.kind === "pool" && !l.offered;
  return card("Ledger", { aside: badge(balanced ? "balanced" : "does not balance", balanced ? "accepted = done + failed + saved + dropped + lost + inside, and offered = accepted + rejected." : "The columns do not add up: that is a fault.") },
    h("dl", { class: "numbers ledger" }, Object.keys(help.ledger).map((column) => [
      h("dt", null, column), h("dd", null, number(c, column, { text: format.whole(l[column]), tone: column === "lost" && l[column] ? "bad" : "" }))])),
    elsewhere && note("What its lanes bring in is counted by them."));
}

// alarmsOf are the component's alarms; the feed knows those that are raised.
function alarmsOf(c) {
  const told = can("GET", "/alarms") ? use("/alarms", 3000).data?.alarms?.filter((a) => a.component === c.name) : null;
  const alarms = told || c.alarms?.map((name) => ({ alarm: name, raised: true })) || [];
  if (!alarms.length) return null;
  return card("Alarms", null, h("ul", { class: "plain" }, alarms.map((a) => h("li", { key: a.alarm },
    badge(a.raised ? "raised" : a.enabled === false ? "off" : "quiet"), " ", h("span", { tabindex: a.help ? "0" : null, ...tip(a.help) }, format.words(a.alarm)),
    a.value !== undefined && [" ", value([format.count(a.value), " of ", format.count(a.threshold), " ", a.unit], "What was found last, and the threshold; a rule under alarms.rules changes that.", { class: "dim" })]))));
}

function hooksOf(c) {
  const hooks = [["OnStart", c.start], ["OnStop", c.stop], ["PreDestroy", c.pre_destroy]].filter(([, r]) => r);
  if (!hooks.length) return null;
  return card("Hooks", null, hooks.map(([name, r]) => h("div", { class: "hook" }, h("b", null, name), " ", badge(r.outcome), " ", format.duration(format.seconds(r.took)), r.budget ? h("span", { class: "dim" }, " of " + format.duration(format.seconds(r.budget))) : null,
    r.error && h("p", { class: "failure" }, r.error), r.stack && h("details", null, h("summary", null, "stack"), h("pre", { tabindex: "0" }, r.stack)))));
}

function standsOn(c) {
  const above = [...state.components.values()].filter((o) => o.stands_on?.includes(c.name));
  if (!c.stands_on?.length && !above.length) return null;
  const list = (names) => names.map((n, i) => [i > 0 && ", ", state.components.has(n) ? nameLink(n) : n]);
  return card("Neighbours", null,
    c.stands_on?.length > 0 && h("p", null, "Stands on ", list(c.stands_on), c.stands_on.length > 1 ? ", which stop after it." : ", which stops after it."),
    above.length > 0 && h("p", null, list(above.map((o) => o.name)), above.length > 1 ? " stand on it, and stop before it." : " stands on it, and stops before it."));
}

function changesOf(c) {
  if (!can("GET", "/audit") || !c.knobs) return null;
  const audit = use("/audit", 5000, { component: c.name, limit: "8" });
  if (!audit.data?.entries?.length) return null;
  return card("Changes", null, auditTable(audit.data.entries, true));
}

function stats(near, open) {
  const found = near.data?.stats;
  if (!found) return null;
  return card("Statistics", null, h("details", { open }, h("summary", null, "as the component tells them"), tree(found)));
}

