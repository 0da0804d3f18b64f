// HTTP: the servers, what is in flight on which route, and in which state the
// connections are.

import { h, lazy } from "./dom.js";
import { ofKind, history } from "./store.js";
import { detail, flow, gauge, spanOf } from "./detail.js";
import { lines } from "./charts.js";
import { card, badge, number, table, tr, stat, nameLink } from "./parts.js";
import * as format from "./format.js";

export const page = {
  id: "http", title: "HTTP", key: "h",
  when: () => ofKind("server").length > 0,
  view: (ctx) => {
    const servers = ofKind("server");
    if (!ctx.sel && servers.length === 1) return detail({ ...ctx, sel: servers[0].name, alone: true }, special);
    return ctx.sel ? detail(ctx, special) : list(servers);
  },
};

const columns = [
  { head: "Server", grow: true, cell: (c) => nameLink(c.name) },
  { head: "Health", cell: (c) => badge(c.health) },
  { head: "In flight", num: true, cell: (c) => number(c, "in_flight_requests", { inTable: true }) },
  { head: "Streams", num: true, cell: (c) => number(c, "open_streams", { inTable: true }) },
  { head: "Oldest request", num: true, cell: (c) => number(c, "oldest_request_seconds", { inTable: true }) },
  { head: "Done", num: true, cell: (c) => number(c, "done", { inTable: true }) },
  { head: "Rejected", num: true, cell: (c) => number(c, "rejected", { inTable: true }) },
];

const row = (c) => lazy(c.name, draw, c);
const draw = (c) => tr(columns, c, { "data-component": c.name });

const list = (servers) => [h("h1", null, "HTTP"), card("Servers", null, table(columns, servers, { label: "servers", row }))];

function special(c, ctx, near) {
  const span = spanOf(ctx);
  const states = ["new", "active", "idle", "hijacked"].map((s) => ({ s, name: `connections{state=${s}}` })).filter(({ name }) => c.metrics?.[name] !== undefined);
  return [
    h("div", { class: "stats" },
      stat("Address", h("span", { class: "text" }, near.data?.stats?.addr || "–")),
      stat("In flight", number(c, "in_flight_requests"), [number(c, "open_streams"), " streams"]),
      stat("Oldest request", number(c, "oldest_request_seconds"), "that is no stream"),
      stat("Done", number(c, "done"), format.count(history.rate(c.name, "done", 10)?.at(-1)) + " per second"),
      stat("Rejected", number(c, "rejected"), "while draining, mostly")),
    card("Now", null, h("div", { class: "charts" },
      flow(c, span),
      lines({ title: "Requests in flight", span, series: [gauge(c, "in_flight_requests", span, "in flight"), gauge(c, "open_streams", span, "streams", 5)] }),
      lines({ title: "Connections by state", span, series: states.map(({ s, name }) => gauge(c, name, span, s)) }),
      lines({ title: "Oldest request", span, unit: "seconds", series: [gauge(c, "oldest_request_seconds", span, "age", 3)] }))),
    routes(near),
  ];
}

// routes are the requests in flight by their route.
function routes(near) {
  const requests = near.data?.inspect?.requests;
  if (!requests?.length) return null;
  const by = new Map();
  for (const r of requests) {
    const key = r.method + " " + r.route;
    const row = by.get(key) || { key, n: 0, oldest: 0 };
    row.n++;
    row.oldest = Math.max(row.oldest, format.seconds(r.age));
    by.set(key, row);
  }
  return card("Routes in flight", null, table([
    { head: "Route", grow: true, cell: (r) => h("code", null, r.key) }, { head: "In flight", num: true, cell: (r) => r.n }, { head: "Oldest", num: true, cell: (r) => format.duration(r.oldest) },
  ], [...by.values()].sort((a, b) => b.n - a.n), { key: (r) => r.key, label: "routes in flight" }));
}
