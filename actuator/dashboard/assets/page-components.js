// Components: everything that registers with the service, a kind of your own
// included. Other pages are about some kinds; this one is about any.

import { h, lazy } from "./dom.js";
import { state } from "./store.js";
import { detail } from "./detail.js";
import { card, badge, number, table, tr, empty, filterBox, matches, paged, linkTo } from "./parts.js";
import * as help from "./help.js";

export const page = { id: "components", title: "Components", key: "x", view: (ctx) => (ctx.sel ? detail(ctx) : list(ctx)) };

const columns = [
  { head: "Component", grow: true, cell: (c) => h("a", { href: linkTo("components", c.name) }, c.name) },
  { head: "Kind", cell: (c) => c.kind },
  { head: "State", cell: (c) => badge(c.state) },
  { head: "Health", cell: (c) => c.health && badge(c.health) },
  { head: "Gate", low: true, cell: (c) => (c.gate ? badge(c.gate) : "") },
  { head: "Inside", num: true, help: help.ledger.inside, cell: (c) => (c.ledger ? number(c, "inside", { inTable: true }) : "") },
  { head: "Done", num: true, low: true, help: help.ledger.done, cell: (c) => (c.ledger ? number(c, "done", { inTable: true }) : "") },
  { head: "Band", low: true, help: "When it stops: ingress, middle, resource, sink.", cell: (c) => c.band },
  { head: "Module", low: true, cell: (c) => c.module || "" },
  { head: "Knobs", num: true, low: true, cell: (c) => c.knobs || "" },
];
const row = (c) => lazy(c.name, draw, c);
const draw = (c) => tr(columns, c, { "data-component": c.name });

function list(ctx) {
  const all = [...state.components.values()];
  const kinds = [...new Set(all.map((c) => c.kind))].sort();
  const rows = all.filter((c) => (!ctx.query.kind || c.kind === ctx.query.kind) && matches(ctx.query.q, c.name, c.kind, c.module || "", c.health || "", c.state));
  return [
    h("div", { class: "title-row" }, h("h1", null, "Components"), h("span", { class: "dim" }, rows.length), h("span", { class: "push" }, filterBox(ctx, "Filter components"),
      h("select", { "aria-label": "kind", value: ctx.query.kind || "", onchange: (e) => ctx.set({ kind: e.target.value }) }, h("option", { value: "" }, "all kinds"), kinds.map((k) => h("option", { value: k }, k))))),
    card("In the order in which they stop", null, paged(ctx, rows, (shown) => table(columns, shown, { label: "components", row, empty: empty("No component", "None fits the filter.") }))),
  ];
}
