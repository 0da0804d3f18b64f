// Configuration: where each value comes from, what a reload of the file did, and
// who has changed what while it runs, with the way back.

import { h } from "./dom.js";
import { can, inPath } from "./api.js";
import { use } from "./resource.js";
import { propose } from "./write.js";
import { closer } from "./detail.js";
import { state, ofKind } from "./store.js";
import { card, badge, table, empty, failure, note, waiting, tree, nameLink, filterBox, matches, paged } from "./parts.js";
import * as format from "./format.js";

const ROLLBACK = "/audit/{seq}/rollback";

export const page = { id: "config", title: "Config", key: "c", when: () => can("GET", "/audit") || can("GET", "/env"), view };

function view(ctx) {
  return [
    h("div", { class: "title-row" }, h("h1", null, "Configuration"), h("span", { class: "push" }, filterBox(ctx, "Filter keys and changes"))),
    can("GET", "/audit") && changes(ctx),
    reloads(),
    can("GET", "/env") && origins(ctx),
    can("GET", "/configprops") && sections(ctx),
  ];
}

function changes(ctx) {
  const answer = use("/audit", 2000, { limit: "200" });
  if (!answer.data) return card("Changes while it runs", null, waiting(answer));
  const rows = answer.data.entries.filter((e) => matches(ctx.query.q, e.component, Object.keys(e.after || {}).join(" "), e.by || "", e.error || ""));
  return card("Changes while it runs", { aside: h("span", { class: "dim" }, "newest first") }, rows.length ? paged(ctx, rows, (shown) => auditTable(shown)) : empty("No change", "Every change of a knob stands here: who, from where, before and after; refused ones, too."));
}

// auditTable is used where the changes of one component are shown, too.
export function auditTable(entries, small) {
  const change = (e) => (e.action ? [h("b", null, e.action), Object.entries(e.after || {}).filter(([, v]) => v !== "" && v !== false).map(([k, v]) => [" ", h("code", null, k + "=" + format.knob(v))])]
    : Object.keys(e.after || {}).map((k) => h("div", null, h("code", null, k), " ", h("span", { class: "was" }, format.knob(e.before?.[k])), " → ", h("b", null, format.knob(e.after[k])))));
  return table([
    { head: "At", tight: true, cell: (e) => h("time", { datetime: e.at, title: e.at }, format.clock(e.at)) },
    !small && { head: "Component", cell: (e) => (state.components.has(e.component) ? nameLink(e.component) : e.component) },
    { head: "Change", grow: true, cell: (e) => [change(e), e.error && h("p", { class: "bad" }, "refused: ", e.error), e.until && h("p", { class: "dim" }, "until ", format.clock(e.until)), e.persisted && h("p", { class: "dim" }, e.undoes ? "what is kept for the next start is as before, too" : "kept for the next start"), small && h("p", { class: "dim" }, "by ", e.by || "somebody")] },
    !small && { head: "By", low: true, cell: (e) => [e.by || "somebody", e.from && h("div", { class: "dim" }, e.from)] },
    { head: "", cell: (e) => can("POST", ROLLBACK) && !e.error && !e.action && e.seq && h("button", { type: "button", class: "small", "data-action": "rollback", onclick: () => rollback(e) }, "Roll back…") },
  ].filter(Boolean), entries, { key: (e) => e.seq, label: "changes" });
}

function rollback(e) {
  propose({
    title: "Roll back change " + e.seq, action: "rollback", confirm: "Roll back", dryRun: true,
    text: `The knobs of ${e.component} become what they were before it. That is a change of its own, and can be rolled back as well.`,
    request: () => ({ method: "POST", path: inPath(ROLLBACK, e.seq) }),
  });
}

// reloads are what came of each change of the files: the component "config" keeps
// them.
function reloads() {
  const c = ofKind("config")[0];
  if (!c) return null;
  const near = closer(c);
  const found = near.data?.inspect;
  if (!found) return near.error && card("Reloads of the files", null, failure(near.error));
  return [
    card("Files", { component: c.name, aside: badge(c.health) },
      found.problems?.length > 0 && [h("p", { class: "reason bad" }, "As they are now the files are rejected; what was good last counts."), problems(found.problems)],
      found.pending?.length > 0 && [h("p", { class: "reason warn" }, "These keys need a restart:"), differences(found.pending)],
      table([
        { head: "File", grow: true, cell: (f) => h("code", null, f.name) },
        { head: "", cell: (f) => badge(f.there ? "there" : "not there") },
      ], found.files || [], { label: "files", key: (f) => f.name, empty: note("No file is watched.") }),
      found.overrides && note("Changes that are kept stand in ", h("code", null, found.overrides), ".")),
    card("Reloads", { aside: h("span", { class: "dim" }, "newest first") }, found.history?.length ? table([
      { head: "At", tight: true, cell: (r) => h("time", { datetime: r.at, title: r.at }, format.stamp(r.at)) },
      { head: "Outcome", tight: true, cell: (r) => badge(r.outcome, outcomes[r.outcome]) },
      { head: "What", most: true, cell: (r) => [r.changes?.length > 0 && differences(r.changes), r.problems?.length > 0 && problems(r.problems)] },
    ], found.history, { label: "reloads", key: (r) => r.seq }) : empty("No reload yet", "No file has changed since the start.")),
  ];
}

const outcomes = {
  applied: "The values are in force, but for those that need a restart.",
  unchanged: "Other bytes, the same values.",
  rejected: "Something is wrong with them: what was good last counts.",
};

const problems = (list) => h("ul", { class: "failure" }, list.map((p) => h("li", null, p.key && h("code", null, p.key), " ", p.message, p.origin && h("span", { class: "dim" }, " ", p.origin))));

const differences = (list) => h("ul", { class: "plain" }, list.map((d) => h("li", null, h("code", null, d.key), " ", h("span", { class: "was" }, format.knob(d.before)), " → ", h("b", null, format.knob(d.after)), " ", badge(d.effect), " ", h("span", { class: "dim" }, d.origin))));

// origins are Spring's: sources, the strongest first, with their properties.
function origins(ctx) {
  const answer = use("/env", 5000);
  if (!answer.data) return card("Values and their origin", null, waiting(answer));
  const taken = new Set();
  const rows = [];
  for (const source of answer.data.propertySources || []) {
    for (const [key, p] of Object.entries(source.properties || {})) {
      rows.push({ key, value: p.value, origin: p.origin || source.name, source: source.name, rules: !taken.has(key) });
      taken.add(key);
    }
  }
  rows.sort((a, b) => a.key.localeCompare(b.key));
  const shown = rows.filter((r) => matches(ctx.query.q, r.key, String(r.value), r.origin));
  return card("Values and their origin", { aside: h("span", { class: "dim" }, rows.length + " values") }, shown.length ? paged(ctx, shown, (some) => table([
    { head: "Key", grow: true, cell: (r) => h("code", null, r.key) },
    { head: "Value", cell: (r) => (r.value === "" ? h("span", { class: "dim" }, "empty") : h("code", { class: r.rules ? "" : "overruled" }, format.knob(r.value))) },
    { head: "Origin", cell: (r) => h("span", { class: "dim" }, r.origin, !r.rules && ", overruled") },
  ], some, { key: (r) => r.source + " " + r.key, label: "values" })) : empty("No value", "None fits the filter."));
}

function sections(ctx) {
  const answer = use("/configprops", 0);
  const beans = Object.values(answer.data?.contexts || {}).flatMap((c) => Object.entries(c.beans || {})).filter(([name, b]) => matches(ctx.query.q, name, b.prefix || ""));
  return beans.length > 0 && card("Sections", null, beans.slice(0, 100).map(([name, b]) => h("details", { class: "stack", key: name }, h("summary", null, h("code", null, b.prefix || name)), tree(b.properties || b))));
}
