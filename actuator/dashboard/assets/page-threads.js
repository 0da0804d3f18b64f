// Goroutines: those at the same place together, by the component that has started
// them. A dump is taken when somebody asks for one.

import { h } from "./dom.js";
import { state } from "./store.js";
import { can } from "./api.js";
import { use, stale } from "./resource.js";
import { card, failure, waiting, empty, filterBox, matches, nameLink, paged } from "./parts.js";

export const page = { id: "threads", title: "Goroutines", key: "t", when: () => can("GET", "/threaddump"), view };

function view(ctx) {
  const answer = use("/threaddump", 0);
  const groups = (answer.data?.threads || []).filter((t) => matches(ctx.query.q, t.threadName, t.goState, t.stackTrace[0]?.className || ""));
  const total = groups.reduce((n, t) => n + t.count, 0);
  return [
    h("div", { class: "title-row" }, h("h1", null, "Goroutines"), h("span", { class: "dim num" }, total), h("span", { class: "push" }, filterBox(ctx, "Filter goroutines"),
      h("button", { type: "button", "data-action": "dump", onclick: () => { stale("/threaddump"); window.dispatchEvent(new Event("redraw")); } }, "Take another dump"))),
    answer.data && answer.error && failure(answer.error),
    waiting(answer) || (groups.length === 0 ? empty("No goroutine fits the filter") : card("At one moment", null, paged(ctx, groups, (rows) => rows.map((t) => h("details", { class: "stack", key: t.threadId },
      h("summary", null, h("b", { class: "num" }, t.count), " ", t.component ? (state.components.has(t.component) ? nameLink(t.component) : t.component) : h("span", { class: "dim" }, "nobody's"), " ", h("span", { class: "dim" }, t.goState), " ", h("code", null, t.threadName.split(" in ").at(-1))),
      h("pre", { tabindex: "0" }, t.stackTrace.map((f) => `${f.className}.${f.methodName}\n    ${f.fileName}:${f.lineNumber}`).join("\n"))))))),
  ];
}
