// Batchers: how full a batch is and how old, what triggers flushes, flush now.

import { h, lazy } from "./dom.js";
import { ofKind } from "./store.js";
import { detail, flow, gauge, rate, spanOf } from "./detail.js";
import { actButton } from "./knobs.js";
import { lines } from "./charts.js";
import { card, badge, bar, number, table, tr, stat, empty, nameLink, filterBox, matches, paged } from "./parts.js";
import * as format from "./format.js";

export const page = {
  id: "batchers", title: "Batchers", key: "b",
  when: () => ofKind("batcher").length > 0,
  view: (ctx) => (ctx.sel ? detail(ctx, special, "resize") : list(ctx)),
};

const m = (c, name) => c.metrics?.[name];
const flush = (c) => c.actions?.includes("flush") && actButton(c, { name: "flush", help: "Flushes what is in the batcher now, and waits until that is settled." });

const columns = [
  { head: "Batcher", grow: true, cell: (c) => nameLink(c.name) },
  { head: "Health", cell: (c) => badge(c.health) },
  { head: "Buffered", num: true, help: "Items in batches that are being filled, or wait for a slot, of how many a batch may have.", cell: (c) => [number(c, "buffered_items", { inTable: true }), " / ", number(c, "max_items", { inTable: true })] },
  { head: "", low: true, cell: (c) => bar(m(c, "buffered_items"), m(c, "max_items")) },
  { head: "Oldest batch", num: true, help: "Age of the oldest batch, by its first item.", cell: (c) => number(c, "oldest_batch_seconds", { inTable: true }) },
  { head: "Flushes", num: true, help: "Flushes that run, of how many may.", cell: (c) => [number(c, "running_flushes", { inTable: true }), " / ", number(c, "parallel_flushes", { inTable: true })] },
  { head: "Inside", num: true, low: true, cell: (c) => number(c, "inside", { inTable: true }) },
  { head: "Done", num: true, low: true, cell: (c) => number(c, "done", { inTable: true }) },
  { head: "Triggers", low: true, help: "What triggered the flushes that have ended.", cell: split },
  { head: "", cell: flush },
];

const row = (c) => lazy(c.name, draw, c);
const draw = (c) => tr(columns, c, { "data-component": c.name });

function list(ctx) {
  const rows = ofKind("batcher").filter((c) => matches(ctx.query.q, c.name, c.health || ""));
  return [
    h("div", { class: "title-row" }, h("h1", null, "Batchers"), h("span", { class: "dim" }, rows.length), h("span", { class: "push" }, filterBox(ctx, "Filter batchers"))),
    card("Batchers", null, paged(ctx, rows, (shown) => table(columns, shown, { label: "batchers", row, empty: empty("No batcher", "None has this in its name.") }))),
  ];
}

// triggersOf are the flushes by what triggered them.
function triggersOf(c) {
  const found = [];
  for (const name in c.metrics) {
    const trigger = /^flushes\{trigger=(.*)\}$/.exec(name)?.[1];
    if (trigger) found.push({ trigger, name, n: c.metrics[name] });
  }
  return found;
}

// split is one bar for all triggers.
function split(c) {
  const all = triggersOf(c);
  const sum = all.reduce((n, t) => n + t.n, 0);
  if (!sum) return h("span", { class: "dim" }, "none yet");
  return h("span", { class: "split", role: "img", "aria-label": all.map((t) => `${t.trigger} ${t.n}`).join(", ") },
    all.map((t, i) => t.n > 0 && h("i", { class: "c" + ((i % 6) + 1), title: `${t.trigger}: ${t.n}`, style: { width: (100 * t.n) / sum + "%" } })));
}

// logColumns leaves out what no flush of this batcher has.
const logColumns = (log) => [
  { head: "Ended", tight: true, cell: (f) => h("span", { title: format.stamp(f.at) }, format.clock(f.at)) },
  { head: "Trigger", tight: true, help: "Why it was flushed: count (max_items), bytes (max_bytes), linger, room for others, by hand, or the drain.", cell: (f) => f.trigger },
  log.some((f) => f.key) && { head: "Key", low: true, cell: (f) => f.key || "–" },
  { head: "Items", num: true, help: "How many were in the batch; max_items is the most.", cell: (f) => format.whole(f.items) },
  log.some((f) => f.bytes) && { head: "Size", num: true, low: true, cell: (f) => format.bytes(f.bytes || 0) },
  { head: "Took", num: true, help: "With all its attempts and the pauses between them.", cell: (f) => format.duration(format.seconds(f.took)) },
  { head: "Attempts", num: true, low: true, help: "How often the sink was called for it; retry.max_attempts is the most.", cell: (f) => format.whole(f.attempts) },
  { head: "Outcome", grow: true, cell: (f) => [badge(f.outcome), f.error && [" ", h("span", { class: "dim" }, f.error)]] },
].filter(Boolean);

function special(c, ctx, near) {
  const span = spanOf(ctx);
  const triggers = triggersOf(c);
  const log = near.data?.inspect?.flush_log;
  return [
    h("div", { class: "stats" },
      stat("Buffered", [number(c, "buffered_items"), h("span", { class: "dim" }, " / ", number(c, "max_items"))], bar(m(c, "buffered_items"), m(c, "max_items"))),
      stat("Oldest batch", number(c, "oldest_batch_seconds"), ["linger ", number(c, "linger_seconds")]),
      stat("Flushes", [number(c, "running_flushes"), h("span", { class: "dim" }, " / ", number(c, "parallel_flushes"))], [number(c, "pausing_flushes"), " pause before a retry"]),
      stat("Inside", number(c, "inside"), ["of ", number(c, "buffer_capacity")]),
      stat("Producers waiting", number(c, "waiting_producers"), "for room")),
    card("Now", null, h("div", { class: "charts" },
      lines({ title: "Items", span, series: [gauge(c, "buffered_items", span, "buffered"), gauge(c, "in_flight_items", span, "in flight", 2)] }),
      flow(c, span),
      lines({ title: "Age of the oldest batch", span, unit: "seconds", series: [gauge(c, "oldest_batch_seconds", span, "oldest", 3)] }),
      lines({ title: "Flushes per second, by trigger", span, series: triggers.filter((t) => t.n > 0).map((t) => rate(c, t.name, span, t.trigger)) }))),
    triggers.length > 0 && card("What triggered the flushes", null, split(c), h("dl", { class: "numbers" }, triggers.map((t, i) => [h("dt", null, h("i", { class: "swatch c" + ((i % 6) + 1) }), t.trigger), h("dd", null, number(c, t.name, { text: format.whole(t.n) }))]))),
    near.data?.stats?.trouble && h("p", { class: "failure" }, near.data.stats.trouble),
    Array.isArray(log) && card("Flush log", { aside: "the last " + log.length }, table(logColumns(log), log, { label: "flushes", empty: empty("No flush yet") })),
  ];
}
