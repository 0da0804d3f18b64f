// Loggers: their levels, set for good, for a while, or back to what is configured.

import { h } from "./dom.js";
import { can, inPath } from "./api.js";
import { use } from "./resource.js";
import { propose } from "./write.js";
import { card, table, empty, waiting, filterBox, matches } from "./parts.js";

const ONE = "/loggers/{name}";

export const page = { id: "loggers", title: "Loggers", key: "v", when: () => can("GET", "/loggers"), view };

function view(ctx) {
  const answer = use("/loggers", 3000);
  const rows = Object.entries(answer.data?.loggers || {}).filter(([name]) => matches(ctx.query.q, name));
  return [
    h("div", { class: "title-row" }, h("h1", null, "Loggers"), h("span", { class: "push" }, filterBox(ctx, "Filter loggers"))),
    card("Levels", null, waiting(answer) || table([
      { head: "Logger", grow: true, cell: ([name]) => name },
      { head: "Level", help: "The lowest level that is written.", cell: ([name, l]) => levels(name, l, answer.data.levels) },
      { head: "", cell: ([name]) => can("POST", ONE) && h("button", { type: "button", class: "small", "data-action": "reset", onclick: () => set(name, null) }, "Reset") },
    ], rows, { label: "loggers", key: ([name]) => name, empty: empty("No logger", "The service has told of none whose level can be set.") })),
  ];
}

function levels(name, logger, all) {
  if (!can("POST", ONE)) return h("b", null, logger.effectiveLevel);
  return h("div", { class: "segmented", role: "group", "aria-label": "level of " + name }, all.map((level) => h("button", {
    type: "button", "data-action": "level", "data-level": level, "aria-pressed": String(level === logger.effectiveLevel), onclick: () => level !== logger.effectiveLevel && set(name, level),
  }, level.toLowerCase())));
}

function set(name, level) {
  propose({
    title: level ? `Set ${name} to ${level.toLowerCase()}` : `Reset ${name}`, action: "level", options: ["ttl"],
    text: level ? "Lines below this level are not written any more; those from it on are." : "The level becomes what is configured.",
    confirm: level ? "Set it" : "Reset it",
    request: (o) => ({ method: "POST", path: inPath(ONE, name), query: { ttl: o.ttl }, body: { configuredLevel: level } }),
  });
}
