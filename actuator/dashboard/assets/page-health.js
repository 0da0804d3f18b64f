// Health: who is not well, and what to do about it.

import { h } from "./dom.js";
import { can } from "./api.js";
import { use } from "./resource.js";
import { state } from "./store.js";
import { card, badge, table, waiting, empty, nameLink, filterBox, matches, tree, paged } from "./parts.js";
import * as help from "./help.js";

export const page = { id: "health", title: "Health", key: "i", when: () => can("GET", "/health"), view };

const order = Object.keys(help.statuses).reverse();

function view(ctx) {
  const answer = use("/health", 2000, null, [503]);
  const groups = answer.data?.groups || [];
  return [
    h("div", { class: "title-row" }, h("h1", null, "Health"), answer.data && badge(answer.data.status), h("span", { class: "push" }, filterBox(ctx, "Filter components"))),
    groups.length > 0 && card("Groups", { aside: h("span", { class: "dim" }, "what probes ask for") }, h("div", { class: "stats" }, groups.map(group))),
    card("Components", { aside: h("span", { class: "dim" }, "the worst first") }, components(ctx, answer)),
  ];
}

function group(name) {
  const one = use("/health/" + encodeURIComponent(name), 2000, null, [503]);
  return h("div", { class: "stat", key: name }, h("div", { class: "label" }, name), h("div", { class: "value" }, one.data ? badge(one.data.status) : "–"), h("div", { class: "under" }, name === "liveness" ? "/livez" : name === "readiness" ? "/readyz" : "/health/" + name));
}

function components(ctx, answer) {
  if (!answer.data) return waiting(answer);
  if (!answer.data.components) return empty("No details", "Who asks without the token sees one word. The configuration (health.details) says who sees more.");
  const rows = Object.entries(answer.data.components).filter(([name, c]) => matches(ctx.query.q, name, c.status)).sort(([, a], [, b]) => order.indexOf(a.status) - order.indexOf(b.status));
  return paged(ctx, rows, (shown) => table([
    { head: "Status", tight: true, cell: ([, c]) => badge(c.status) },
    { head: "Component", cell: ([name]) => (state.components.has(name) ? nameLink(name) : name) },
    { head: "What it says", most: true, cell: ([, c]) => [c.details?.reason && h("p", { class: "reason-line" }, c.details.reason), c.details && Object.keys(c.details).some((k) => k !== "reason") && h("details", null, h("summary", null, "details"), tree(c.details))] },
  ], shown, { label: "health of components", key: ([name]) => name }));
}
