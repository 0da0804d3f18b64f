// Events: what happens, newest first, narrowed by kind and by words.

import { h, lazy } from "./dom.js";
import { state } from "./store.js";
import { card, empty, filterBox, matches, nameLink, paged } from "./parts.js";
import * as format from "./format.js";

export const page = { id: "events", title: "Events", key: "e", view };

function view(ctx) {
  const kinds = [...new Set(state.events.map((e) => e.kind))].sort();
  const list = state.events.filter((e) => (!ctx.query.kind || e.kind === ctx.query.kind) && matches(ctx.query.q, e.kind, e.component || "", e.text)).reverse();
  return [
    h("div", { class: "title-row" }, h("h1", null, "Events"), h("span", { class: "dim" }, list.length), h("span", { class: "push" }, filterBox(ctx, "Filter events"),
      h("select", { "aria-label": "kind", value: ctx.query.kind || "", onchange: (e) => ctx.set({ kind: e.target.value }) }, h("option", { value: "" }, "all kinds"), kinds.map((k) => h("option", { value: k }, k))))),
    card("Newest first", null, list.length ? paged(ctx, list, (rows) => h("ol", { class: "events" }, rows.map((e) => lazy(e.seq, eventRow, e)))) : empty("No event", ctx.query.q || ctx.query.kind ? "None fits the filter." : "What happens from now on stands here: states, components, stages of a stop, changes.")),
  ];
}

// isBad: somebody should look. "0 lost" is not bad, and of an alarm only its raise is.
function isBad(e) {
  if (e.kind === "alarm") return e.data?.state === "raised";
  return Boolean(e.data?.error) || e.data?.reached === false || /\b(failed|panicked|hung|refused|rejected|[1-9]\d* lost)\b/.test(e.text);
}

export function eventRow(e) {
  const text = e.component ? e.text.replace(e.component + ": ", "") : e.text; // its name stands before it
  return h("li", { class: isBad(e) ? "bad" : "", "data-event": e.kind },
    h("time", { datetime: e.at, title: e.at }, format.clock(e.at)), h("span", { class: "kind" }, e.kind), h("span", { class: "text" }, e.component && [nameLink(e.component), " "], text));
}
