// The pieces that pages are made of.

import { h } from "./dom.js";
import { tip } from "./tip.js";
import * as format from "./format.js";
import * as help from "./help.js";
import { state, legend } from "./store.js";

// card is a part of a page with a heading; more is {aside, class, component} or null.
export function card(title, more, ...body) {
  return h("section", { class: "card " + (more?.class || ""), key: more?.key, "data-component": more?.component },
    h("header", null, h("h2", null, title), more?.aside && h("div", { class: "aside" }, more.aside)), body);
}

export const note = (...text) => h("p", { class: "note" }, text);

// empty is what stands where there is nothing: what would be here, and why not.
export const empty = (title, text) => h("div", { class: "empty" }, h("strong", null, title), text && h("p", null, text));

// value is a text that says what it means where it is pointed at.
export const value = (text, means, more) => h("span", { ...more, class: "num " + (more?.class || ""), tabindex: "0", ...tip(means) }, text);

export const failure = (err) => h("p", { class: "failure", role: "alert" }, err.status ? err.status + ": " : "", err.message);

// waiting is what stands in the place of an answer that is not there; null: it is.
export function waiting(answer) {
  if (answer.data) return null;
  if (answer.error) return failure(answer.error);
  return note(state.link === "live" ? "Asking…" : "Nobody was asked while the service could answer.");
}

// badge is one word in the colour of what it says.
const tones = {
  UP: "good", running: "good", started: "good", applied: "good", "in force": "good", delivered: "good", ok: "good", open: "good", yes: "good", clean: "good",
  WARNING: "warn", UNKNOWN: "warn", "partly failed": "warn", "left over": "warn", draining: "warn", drained: "warn", perhaps: "warn", paused: "warn", muted: "warn", stopping: "warn", starting: "warn", reconnecting: "warn", unknown: "warn", hung: "bad",
  DOWN: "bad", failed: "bad", rejected: "bad", "needs a restart": "warn", "set in code, which is stronger": "warn", panicked: "bad", lost: "bad", killed: "bad", no: "bad", raised: "bad", firing: "bad",
};

export function badge(word, explained) {
  return h("span", { class: "badge " + (tones[word] || "calm"), ...tip(explained || help.statuses[word] || help.states[word] || help.fits[word]) }, String(word).replaceAll("_", " ").toLowerCase());
}

// explained are the attributes that say what a number of a component means, and
// which knob changes it.
export function explained(c, name, inLedger = c.ledger && name in c.ledger) {
  const said = (inLedger ? help.ledger[name] : legend(c.kind, name).help) || format.words(name);
  return tip(said, { component: c.name, knob: help.knobOf(c.kind, format.base(name)) });
}

// number is a value with what it means. It can be reached with the keyboard unless
// it stands in a table, whose headings explain it.
export function number(c, name, more = {}) {
  const inLedger = !more.metric && c.ledger && name in c.ledger;
  const value = more.value ?? (inLedger ? c.ledger[name] : c.metrics?.[name]);
  return h("span", {
    class: "num" + (more.tone ? " " + more.tone : ""), "data-metric": name, tabindex: more.inTable ? null : "0",
    ...explained(c, name, inLedger),
  }, more.text ?? format.metric(name, value));
}

// stat is a number with its name under it.
export const stat = (label, value, under) => h("div", { class: "stat" }, h("div", { class: "label" }, label), h("div", { class: "value" }, value), under && h("div", { class: "under" }, under));

// bar is how much of something is used.
export function bar(used, of, label) {
  const part = of > 0 ? Math.min(1, used / of) : used > 0 ? 1 : 0;
  return h("span", { class: "bar " + (part >= 0.95 ? "bad" : part >= 0.75 ? "warn" : ""), role: "img", "aria-label": label || Math.round(part * 100) + " %" }, h("i", { style: { width: (part * 100).toFixed(1) + "%" } }));
}

const kindOf = (c) => [c.num && "n", c.low && "low", c.tight && "tight", c.grow && "grow", c.most && "most"].filter(Boolean).join(" ") || null;

// table draws rows. A column is {head, help, cell(row), num, low, tight, grow, most}:
// low is left out where there is little room, tight is as wide as what is in it,
// grow and most say who gets what is left.
export function table(columns, rows, more = {}) {
  if (!rows.length && more.empty) return more.empty;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": more.label || "table" },
    h("table", null,
      h("thead", null, h("tr", null, columns.map((c) => h("th", { class: kindOf(c), scope: "col", tabindex: c.help ? "0" : null, ...tip(c.help) }, c.head)))),
      h("tbody", null, rows.map((row, i) => more.row ? more.row(row, i) : tr(columns, row, { key: more.key?.(row) ?? i })))));
}

export function tr(columns, row, attrs) {
  return h("tr", attrs, columns.map((c) => h("td", { class: kindOf(c) }, c.cell(row))));
}

// tree shows any JSON.
export function tree(value, depth = 0) {
  if (value === null || value === undefined) return h("span", { class: "dim" }, "–");
  if (typeof value !== "object") return h("code", null, String(value));
  const entries = Array.isArray(value) ? value.map((v, i) => [i + 1, v]) : Object.entries(value);
  if (!entries.length) return h("span", { class: "dim" }, "none");
  if (depth > 5) return h("code", null, JSON.stringify(value));
  return h("dl", { class: "tree" }, entries.slice(0, 200).map(([k, v]) => [h("dt", null, String(k).replaceAll("_", " ")), h("dd", null, tree(v, depth + 1))]));
}

// pathOf is where a component is shown; see app.js for the pages of kinds.
const homes = { pool: "pools", lane: "pools", batcher: "batchers", server: "http", journal: "journal", deadletter: "journal", deadletter_box: "journal" };
export const homeOf = (kind) => homes[kind] || "components";
export const linkTo = (page, sel, query) => "#/" + page + (sel ? "/" + encodeURIComponent(sel).replaceAll("%3A", ":") : "") + (query && Object.keys(query).length ? "?" + new URLSearchParams(query) : "");
export const hrefOf = (name) => linkTo(homeOf(state.components.get(name)?.kind), name);
export const nameLink = (name) => h("a", { href: hrefOf(name) }, name);

// filterBox narrows a list; its text is in the URL.
export function filterBox(ctx, label) {
  return h("input", { type: "search", class: "filter", placeholder: label, "aria-label": label, value: ctx.query.q || "", oninput: (e) => ctx.set({ q: e.target.value }) });
}

export const matches = (q, ...texts) => !q || q.toLowerCase().split(/\s+/).every((word) => texts.join(" ").toLowerCase().includes(word));

// paged shows the first rows of a long list, and more when asked.
const PAGE = 50;
export function paged(ctx, rows, view) {
  const shown = Math.min(rows.length, Number(ctx.query.rows) || PAGE);
  return [view(rows.slice(0, shown)), rows.length > shown && h("p", { class: "more" },
    h("button", { type: "button", onclick: () => ctx.set({ rows: shown + PAGE }) }, `Show ${Math.min(PAGE, rows.length - shown)} more`), ` ${shown} of ${rows.length}`)];
}
