// Journal and dead letters: what is written down, what that withstands, what an
// earlier life has left, and the work that failed for good.

import { h } from "./dom.js";
import { state, ofKind } from "./store.js";
import { can, inPath } from "./api.js";
import { use } from "./resource.js";
import { detail, closer } from "./detail.js";
import { act, canAct } from "./knobs.js";
import { card, stat, badge, bar, number, table, empty, failure, note, waiting, nameLink, hrefOf, filterBox, matches, paged } from "./parts.js";
import { tip } from "./tip.js";
import * as format from "./format.js";

const boxKinds = ["deadletter", "deadletter_box"];

export const page = {
  id: "journal", title: "Journal", key: "j",
  when: () => ofKind("journal", ...boxKinds).length > 0,
  view: (ctx) => (ctx.sel ? detail(ctx, (c, _, near) => (c.kind === "journal" ? store(c, near) : box(c, near, ctx))) : list(ctx)),
};

function list(ctx) {
  return [
    h("h1", null, "Journal and dead letters"),
    replay(),
    ofKind("journal").map((c) => store(c, closer(c))),
    ofKind(...boxKinds).map((c) => box(c, closer(c), ctx)),
  ];
}

// replay is how far the work of an earlier life has come.
function replay() {
  const rows = [...state.components.values()].filter((c) => c.metrics?.replayed_items > 0 || c.metrics?.replay_left_items > 0 || c.metrics?.unreadable_items > 0);
  if (!rows.length) return null;
  return card("Replay of an earlier life", null, h("ul", { class: "saturation" }, rows.map((c) => {
    const done = c.metrics.replayed_items || 0;
    const left = c.metrics.replay_left_items || 0;
    return h("li", { key: c.name, "data-component": c.name }, nameLink(c.name), h("span", { class: "dim" }, left ? "goes on" : "over"), bar(done, done + left, `${done} of ${done + left}`),
      h("span", { class: "num" }, number(c, "replayed_items"), " entered, ", number(c, "replay_left_items"), " left", c.metrics.unreadable_items > 0 && [", ", number(c, "unreadable_items", { tone: "bad" }), " unreadable"]));
  })));
}

function store(c, near) {
  const s = near.data?.stats;
  const told = (name) => `{journal=${name}}`;
  return card("Journals", { component: c.name, aside: [nameLink(c.name), " ", badge(c.health)] },
    c.reason && h("p", { class: "reason warn" }, c.reason),
    s?.guarantee && h("p", { class: "guarantee" }, "What is written down: ", h("b", { "data-metric": "guarantee" }, s.guarantee)),
    s?.dir && h("p", { class: "dim" }, "in ", h("code", null, s.dir)),
    near.error && failure(near.error),
    s && table([
      { head: "Journal", grow: true, cell: (j) => (state.components.has(j.name) ? nameLink(j.name) : j.name) },
      { head: "Pending", num: true, help: "Entries that are not crossed out.", cell: (j) => number(c, "entries" + told(j.name), { inTable: true }) },
      { head: "Recovered", num: true, low: true, help: "Entries that an earlier life has left.", cell: (j) => number(c, "recovered_entries" + told(j.name), { inTable: true }) },
      { head: "Files", num: true, help: "What the files take, of what they may take.", cell: (j) => [number(c, "files_bytes" + told(j.name), { inTable: true }), h("span", { class: "dim" }, " / ", number(c, "max_bytes" + told(j.name), { inTable: true }))] },
      { head: "", low: true, cell: (j) => bar(c.metrics?.["files_bytes" + told(j.name)], c.metrics?.["max_bytes" + told(j.name)]) },
      { head: "State", cell: (j) => (j.unopened ? badge("failed", j.unopened) : j.refuses ? badge("DOWN", j.refuses) : j.forgets ? badge("WARNING", j.forgets) : badge(j.taken ? "open" : "not taken", j.taken ? "A component of this process has it open." : "Nobody in this process has asked for it.")) },
      { head: "Damage", num: true, low: true, help: "Places that could not be read back.", cell: (j) => j.health?.damage?.length || 0 },
    ], s.journals || [], { label: "journals", key: (j) => j.name, empty: empty("No journal yet", "The directory is opened when a component needs it.") }));
}

const LETTERS = "/deadletters/{name}/letters";

function box(c, near, ctx) {
  const found = near.data?.inspect;
  const letters = can("GET", LETTERS) ? use(inPath(LETTERS, c.name), 3000, { limit: "500" }) : { data: found && { letters: found.oldest } };
  const rows = (letters.data?.letters || []).filter((l) => matches(ctx.query.q, l.id || "", l.component || "", l.key || "", l.reason || "", l.last_error || ""));
  const n = c.metrics?.letters || 0;
  const may = (name) => c.actions?.includes(name) && canAct();
  const button = (name, label, body, small) => may(name) && h("button", { type: "button", class: (small ? "small " : "") + (name === "drop" && !small ? "danger" : ""), "data-action": name, onclick: () => act(c, { name, title: (name === "drop" ? "Drop " : "Send again ") + (body.all ? "all letters" : "letter " + body.id), help: what[name], danger: name === "drop" }, body) }, label);
  return card("Dead letters", { component: c.name, aside: [nameLink(c.name), " ", badge(c.health)] },
    h("div", { class: "stats" },
      stat("Letters", number(c, "letters", { tone: n ? "warn" : "good" }), "failed for good"),
      stat("Being sent again", number(c, "underway_letters"), "at this moment"),
      Object.entries(found?.by_reason || {}).map(([reason, count]) => stat(reason, h("span", { class: "num", tabindex: "0", ...tip(reasons[reason] || reason) }, format.count(count)), "letters"))),
    n > 0 && h("div", { class: "buttons" }, filterBox(ctx, "Filter letters"),
      button("redrive", "Send all again…", { all: true }), button("drop", "Drop all…", { all: true }),
      may("redrive") && ctx.sel !== c.name && h("a", { href: hrefOf(c.name) }, "choose by component, key, reason or age")),
    letters.data && letters.error && failure(letters.error),
    rows.length ? paged(ctx, rows, (shown) => table([
      { head: "Died", tight: true, cell: (l) => h("time", { datetime: l.died, title: l.died }, format.stamp(l.died)) },
      { head: "Component", cell: (l) => (state.components.has(l.component) ? nameLink(l.component) : l.component) },
      { head: "Reason", cell: (l) => h("span", tip(reasons[l.reason] || l.reason), l.reason) },
      { head: "Tries", num: true, low: true, help: "How often it was tried; retry.max_attempts of its lane or batcher is the most.", cell: (l) => l.attempts },
      { head: "Key", low: true, cell: (l) => l.key || "–" },
      { head: "Last error", grow: true, cell: (l) => h("span", { class: "error" }, l.last_error || "–") },
      { head: "", cell: (l) => h("span", { class: "buttons" }, button("redrive", "Again", { id: l.id }, true), button("drop", "Drop", { id: l.id }, true)) },
    ], shown, { label: "dead letters", key: (l) => l.seq ?? l.id }))
      : n > 0 ? waiting(letters) || note("None fits the filter.") : empty("No dead letter", "Work that fails for good is kept here, to be looked at, sent again, or dropped."),
    letters.data?.more && note(`The oldest ${letters.data.letters.length} of ${letters.data.total} are listed.`),
    found?.error && failure({ message: found.error }));
}

const what = {
  redrive: "The work is given back to its component as new work, under its old id.",
  drop: "The work is gone for good.",
};

const reasons = {
  retries: "It failed as often as it may.",
  permanent: "Its handler or sink said that trying again is of no use.",
  panic: "Its handler panicked.",
  poison: "A batch failed, and this item was found to be the cause.",
  expired: "It was older than it may be when its turn came.",
  undecodable: "Its payload could not be read back.",
  buried: "A person has given it up.",
};
