// Graph: who stands on whom. A column is what may stop at the same time; what
// stands on others stops before them, and is drawn before them.

import { h } from "./dom.js";
import { state } from "./store.js";
import { card, empty, hrefOf, note, filterBox, matches } from "./parts.js";
import * as help from "./help.js";

const MOST = 150;
const W = 160;
const H = 34;
const GAP_X = 40;
const GAP_Y = 12;

export const page = { id: "graph", title: "Graph", key: "g", view };

function view(ctx) {
  const all = [...state.components.values()];
  const shown = all.filter((c) => matches(ctx.query.q, c.name, c.kind)).slice(0, MOST);
  return [
    h("div", { class: "title-row" }, h("h1", null, "Graph"), h("span", { class: "dim" }, shown.length < all.length ? `${shown.length} of ${all.length}` : all.length), h("span", { class: "push" }, filterBox(ctx, "Filter components"))),
    card("Stop order", { aside: h("span", { class: "dim" }, "left stops first; the number is the place in the order") },
      shown.length ? drawing(shown, all) : empty("No component", "None fits the filter."),
      h("p", { class: "key-line" }, ["ingress", "middle", "resource", "sink"].map((b) => [h("i", { class: "swatch band-" + b }), " ", b, " ", h("span", { class: "dim" }, help.bands[b], " ")]))),
    shown.length < all.length && note("A graph of more than " + MOST + " cannot be read: narrow it with the filter."),
  ];
}

// columnsOf gives each component the first column behind all that stand on it, and
// behind all of the bands that stop before its own.
function columnsOf(list) {
  const bands = Object.keys(help.bands).filter((b) => list.some((c) => c.band === b));
  if (!list.some((c) => c.stands_on?.length)) return new Map(list.map((c) => [c.name, bands.indexOf(c.band)])); // the bands are all that is known
  const names = new Set(list.map((c) => c.name));
  const column = new Map(list.map((c) => [c.name, 0]));
  // The list is in stop order, so those above come first; an edge against it
  // (a cycle) is ignored.
  const place = new Map(list.map((c, i) => [c.name, i]));
  const last = new Map(); // the last column of each band
  for (const c of list) {
    const before = Math.max(-1, ...bands.slice(0, bands.indexOf(c.band)).map((b) => last.get(b) ?? -1));
    const at = Math.max(column.get(c.name), before + 1);
    column.set(c.name, at);
    last.set(c.band, Math.max(last.get(c.band) ?? -1, at));
    for (const below of c.stands_on || []) {
      if (names.has(below) && place.get(below) > place.get(c.name)) column.set(below, Math.max(column.get(below), column.get(c.name) + 1));
    }
  }
  return column;
}

function drawing(list, all) {
  const column = columnsOf(list);
  const filled = [];
  const spot = new Map();
  for (const c of list) {
    const x = column.get(c.name);
    filled[x] = (filled[x] || 0) + 1;
    spot.set(c.name, { x: x * (W + GAP_X) + 4, y: (filled[x] - 1) * (H + GAP_Y) + 4 });
  }
  const width = filled.length * (W + GAP_X) - GAP_X + 8;
  const height = Math.max(...Array.from(filled, (n) => n || 0)) * (H + GAP_Y) + 8;
  const order = new Map(all.map((c, i) => [c.name, i + 1]));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "graph of components" },
    h("svg", { class: "graph", width, height, viewBox: `0 0 ${width} ${height}` },
      h("defs", null, h("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, h("path", { d: "M0 0L8 4L0 8Z" }))),
      list.flatMap((c) => (c.stands_on || []).filter((n) => spot.has(n)).map((n) => edge(c.name, n, spot))),
      list.map((c) => node(c, spot.get(c.name), order.get(c.name)))));
}

function edge(from, to, spot) {
  const a = spot.get(from);
  const b = spot.get(to);
  const [x1, y1, x2, y2] = [a.x + W, a.y + H / 2, b.x - 2, b.y + H / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  return h("path", { key: from + ">" + to, class: "edge", "marker-end": "url(#arrow)", d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` });
}

function node(c, at, number) {
  const name = c.name.length > 17 ? c.name.slice(0, 16) + "…" : c.name;
  return h("a", { key: c.name, href: hrefOf(c.name), "data-component": c.name, class: `node band-${c.band} state-${c.state} health-${c.health}` },
    h("title", null, `${c.name}: ${c.state}, stops as number ${number}${c.ledger ? ", " + c.ledger.inside + " inside" : ""}`),
    h("rect", { x: at.x, y: at.y, width: W, height: H, rx: 5 }),
    h("text", { x: at.x + 10, y: at.y + 21, class: "place" }, number),
    h("text", { x: at.x + 34, y: at.y + 21 }, name),
    c.ledger?.inside > 0 && h("text", { x: at.x + W - 6, y: at.y + 21, class: "inside", "text-anchor": "end" }, c.ledger.inside));
}
