// Pools and their lanes: a list that stays quick with a thousand of them, and one
// pool closely.

import { h, lazy } from "./dom.js";
import { ofKind, history, state } from "./store.js";
import { can, inPath } from "./api.js";
import { use } from "./resource.js";
import { detail, flow, gauge, rate, spanOf, watch } from "./detail.js";
import { lines, spark } from "./charts.js";
import { card, badge, bar, number, table, tr, empty, nameLink, filterBox, matches, paged } from "./parts.js";
const ONE = "/components/{name}";

export const page = {
  id: "pools", title: "Pools", key: "p",
  when: () => ofKind("pool", "lane").length > 0,
  view: (ctx) => (ctx.sel ? detail(ctx, special, "resize") : list(ctx)),
};

const m = (c, name) => c.metrics?.[name];

const columns = [
  { head: "Pool", grow: true, cell: (c) => nameLink(c.name) },
  { head: "Health", cell: (c) => badge(c.health) },
  { head: "Busy", num: true, help: "Workers that run a task, of how many there may be.", cell: (c) => [number(c, "busy_workers", { inTable: true }), " / ", number(c, "max_workers", { inTable: true })] },
  { head: "", low: true, cell: (c) => bar(m(c, "busy_workers"), m(c, "max_workers")) },
  { head: "Queued", num: true, help: "Tasks that wait for a worker, of how many may wait.", cell: (c) => [number(c, "queued_tasks", { inTable: true }), " / ", number(c, "queue_capacity", { inTable: true })] },
  { head: "", low: true, cell: (c) => bar(m(c, "queued_tasks"), m(c, "queue_capacity")) },
  { head: "Oldest wait", num: true, low: true, help: "Age of what has waited longest.", cell: (c) => number(c, "oldest_wait_seconds", { inTable: true }) },
  { head: "Longest run", num: true, low: true, help: "How long the task that runs longest has been seen running.", cell: (c) => number(c, "longest_run_seconds", { inTable: true }) },
  { head: "Busy lately", low: true, help: "How many workers were busy in the last 5 minutes.", cell: (c) => spark(history.last(c.name, "busy_workers", history.age() > 60 ? 300 : 60)) },
];

const sorts = {
  "in stop order": null,
  busiest: (a, b) => m(b, "busy_workers") / (m(b, "max_workers") || 1) - m(a, "busy_workers") / (m(a, "max_workers") || 1),
  "fullest queue": (a, b) => m(b, "queued_tasks") / (m(b, "queue_capacity") || 1) - m(a, "queued_tasks") / (m(a, "queue_capacity") || 1),
};

function list(ctx) {
  const pools = ofKind("pool").filter((c) => matches(ctx.query.q, c.name, c.module || "", c.health || ""));
  if (sorts[ctx.query.sort]) pools.sort(sorts[ctx.query.sort]);
  const lanes = ofKind("lane").filter((c) => matches(ctx.query.q, c.name));
  return [
    h("div", { class: "title-row" }, h("h1", null, "Pools"), h("span", { class: "dim" }, pools.length), h("span", { class: "push" }, filterBox(ctx, "Filter pools and lanes"),
      h("select", { "aria-label": "order", value: ctx.query.sort || "in stop order", onchange: (e) => ctx.set({ sort: e.target.value }) }, Object.keys(sorts).map((s) => h("option", { value: s }, s))))),
    card("Pools", null, paged(ctx, pools, (rows) => table(columns, rows, { label: "pools", row: poolRow, empty: empty("No pool", ctx.query.q ? "None has this in its name." : "Nothing of the kind is in this service.") }))),
    lanes.length > 0 && card("Lanes", { aside: h("span", { class: "dim" }, "typed doors into a pool") }, paged(ctx, lanes, (rows) => table(laneColumns, rows, { label: "lanes", row: laneRow }))),
  ];
}

// A row is drawn again only if its component has changed, or its line.
const poolRow = (c) => lazy(c.name, drawPool, c, history.keeps(c.name) ? history.end : 0);
const drawPool = (c) => tr(columns, c, { "data-component": c.name });

const laneColumns = [
  { head: "Lane", grow: true, cell: (c) => nameLink(c.name) },
  { head: "Health", cell: (c) => badge(c.health) },
  { head: "Inside", num: true, cell: (c) => number(c, "inside", { inTable: true }) },
  { head: "Queued", num: true, low: true, cell: (c) => number(c, "queued_items", { inTable: true }) },
  { head: "Running", num: true, low: true, cell: (c) => number(c, "running_items", { inTable: true }) },
  { head: "Retrying", num: true, help: "Items that wait for their next try.", cell: (c) => number(c, "retrying_items", { inTable: true }) },
  { head: "In journal", num: true, help: "Entries in the journal that are not crossed out.", low: true, cell: (c) => number(c, "journal_entries", { inTable: true }) },
  { head: "Done", num: true, cell: (c) => number(c, "done", { inTable: true }) },
  { head: "Failed", num: true, cell: (c) => number(c, "failed", { inTable: true }) },
];
const laneRow = (c) => lazy(c.name, drawLane, c);
const drawLane = (c) => tr(laneColumns, c, { "data-component": c.name });

function special(c, ctx, near) {
  const span = spanOf(ctx);
  if (c.kind === "lane") {
    return card("Now", null, h("div", { class: "charts" }, flow(c, span), lines({
      title: "Items", span, series: ["queued_items", "running_items", "retrying_items"].map((name) => gauge(c, name, span, name.replace("_items", ""))),
    })), near.data?.stats?.pool && h("p", null, "It leads into ", state.components.has("pool:" + near.data.stats.pool) ? nameLink("pool:" + near.data.stats.pool) : near.data.stats.pool, "."));
  }
  const lanes = lanesOf(c);
  return [
    h("div", { class: "stats" }, tiles(c)),
    card("Now", null, h("div", { class: "charts" },
      lines({ title: "Workers", span, limit: m(c, "max_workers"), series: [gauge(c, "busy_workers", span, "busy"), gauge(c, "workers", span, "there are", 5)] }),
      lines({ title: "Queue", span, limit: m(c, "queued_tasks") * 4 > m(c, "queue_capacity") ? m(c, "queue_capacity") : 0, series: [gauge(c, "queued_tasks", span, "waiting", 2)] }),
      throughput(c, lanes, span),
      lines({ title: "Ages", span, unit: "seconds", series: [gauge(c, "oldest_wait_seconds", span, "oldest wait", 3), gauge(c, "longest_run_seconds", span, "longest run", 5)] }))),
    lanes.length > 0 && card("Its lanes", null, table(laneColumns, lanes, { label: "lanes", row: laneRow })),
  ];
}

// lanesOf are the lanes that lead into a pool: of those that stand on it, the ones
// that say so when asked. A lane may stand on other pools as well.
function lanesOf(c) {
  const near = ofKind("lane").filter((l) => l.stands_on?.includes(c.name));
  if (near.length > 12 || !can("GET", ONE)) return near;
  return near.filter((l) => {
    const pool = use(inPath(ONE, l.name)).data?.stats?.pool;
    return pool === undefined || "pool:" + pool === c.name;
  });
}

// throughput is what the pool does per second: its own tasks, and each of its lanes.
function throughput(c, lanes, span) {
  const of = [...(c.ledger?.offered ? [c] : []), ...lanes.slice(0, 4)];
  of.forEach((l) => watch(l.name));
  return lines({ title: "Done per second", span, series: (of.length ? of : [c]).map((l) => rate(l, "done", span, l.name)) });
}

const tiles = (c) => [["Busy", "busy_workers", "max_workers"], ["Queued", "queued_tasks", "queue_capacity"]].map(([label, used, of]) =>
  h("div", { class: "stat" }, h("div", { class: "label" }, label), h("div", { class: "value" }, number(c, used), h("span", { class: "dim" }, " / ", number(c, of))), bar(m(c, used), m(c, of))))
  .concat([["Idle", "idle_workers"], ["Submitters waiting", "waiting_submitters"], ["Oldest wait", "oldest_wait_seconds"], ["Longest run", "longest_run_seconds"]].map(([label, name]) =>
    h("div", { class: "stat" }, h("div", { class: "label" }, label), h("div", { class: "value" }, number(c, name)))));
