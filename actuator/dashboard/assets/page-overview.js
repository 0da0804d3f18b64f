// Overview: is it well, what is inside, what would be lost, what is full, and what
// has just happened.

import { h, lazy } from "./dom.js";
import { state, history, atRisk, lifeWord } from "./store.js";
import { can } from "./api.js";
import { use } from "./resource.js";
import { lines } from "./charts.js";
import { rangeChooser, spanOf } from "./detail.js";
import { saturations } from "./kinds.js";
import { runCard } from "./page-lifecycle.js";
import { alarmList } from "./page-alarms.js";
import { eventRow } from "./page-events.js";
import { card, stat, value, badge, bar, empty, hrefOf, linkTo, nameLink, note } from "./parts.js";
import { tip } from "./tip.js";
import * as format from "./format.js";
import * as help from "./help.js";

export const page = { id: "overview", title: "Overview", key: "o", view };

const AT_RISK = "Work inside that is not written down: kill -9 now, and nothing is left of it. A graceful stop finishes or saves it. The key journal of a lane or batcher has it written down.";

function view(ctx) {
  const all = [...state.components.values()];
  if (!all.length) return [h("h1", null, "Overview"), empty("Nothing is known yet", "The page waits for the first picture of the service.")];
  const span = spanOf(ctx);
  return [
    h("div", { class: "title-row" }, h("h1", null, "Overview"), h("span", { class: "push" }, rangeChooser(ctx))),
    numbers(all),
    h("div", { class: "columns" },
      h("div", { class: "wide" },
        card("Work", null, h("div", { class: "charts" },
          lines({ title: "Inside", span, series: [{ label: "inside", tip: tip(help.ledger.inside), values: history.last("", "inside", span) }, { label: "not written down", tone: 3, tip: tip(AT_RISK), values: history.last("", "risk", span) }] }),
          lines({ title: "Throughput per second", span, series: [
            { label: "done", tip: tip(help.ledger.done), values: history.rate("", "done", span), tone: 2 },
            { label: "failed", tip: tip(help.ledger.failed), values: history.rate("", "failed", span), tone: 4 },
            { label: "rejected", tip: tip(help.ledger.rejected), values: history.rate("", "rejected", span), tone: 3 }] }))),
        saturation(all, ctx),
        troubles(all)),
      h("div", { class: "side" }, alarmCard(), previous(), latest())),
  ];
}

function numbers(all) {
  const sum = (column) => all.reduce((n, c) => n + (c.ledger?.[column] || 0), 0);
  const risk = all.reduce((n, c) => n + atRisk(c), 0);
  const worst = Object.keys(help.statuses).reverse().find((s) => all.some((c) => c.health === s)) || "UP";
  const told = (name, n, means, tone) => value(format.count(n), means, { "data-metric": name, class: tone });
  const lost = sum("lost");
  return h("div", { class: "stats" },
    stat("State", badge(lifeWord()), state.ready ? "ready for work" : "not ready"),
    stat("Health", h("a", { href: linkTo("health") }, badge(worst)), all.filter((c) => c.health && c.health !== "UP").length + " of " + all.length + " not up"),
    stat("Inside now", told("inside", state.inside, "Work that was accepted and is not finished: waiting, running, or on its way. A stop waits for it."), "accepted, not finished"),
    stat("At risk", told("at_risk", risk, AT_RISK, risk > 0 ? "warn" : "good"), "inside and not durable"),
    stat("Done", told("done", sum("done"), help.ledger.done), format.count(history.rate("", "done", 10)?.at(-1)) + " per second"),
    stat("Failed", told("failed", sum("failed"), help.ledger.failed), "recorded"),
    stat("Rejected", told("rejected", sum("rejected"), help.ledger.rejected), "never accepted"),
    stat("Lost", told("lost", lost, help.ledger.lost, lost ? "bad" : "good"), lost ? "look at the log" : "as it should be"));
}

function saturation(all, ctx) {
  const rows = [];
  for (const c of all) for (const s of saturations(c)) rows.push({ ...s, c });
  if (!rows.length) return null;
  rows.sort((a, b) => b.used / (b.of || 1) - a.used / (a.of || 1));
  const most = Number(ctx.query.rows) || 12;
  return card("Saturation", { aside: h("span", { class: "dim" }, "the fullest first") },
    h("ul", { class: "saturation" }, rows.slice(0, most).map((r) => lazyRow(r))),
    rows.length > most && h("p", { class: "more" }, h("button", { type: "button", onclick: () => ctx.set({ rows: most + 50 }) }, "Show more"), ` ${most} of ${rows.length}`));
}

const lazyRow = (r) => lazy(r.c.name + r.what, saturationRow, r.c, r.what, r.used, r.of, r.metric, r.knob);

function saturationRow(c, what, used, of, metric, knob) {
  return h("li", { "data-component": c.name },
    h("a", { href: hrefOf(c.name) }, c.name), h("span", { class: "dim" }, what), bar(used, of, `${c.name} ${what}: ${used} of ${of}`),
    h("span", { class: "num", "data-metric": metric, tabindex: "0", ...tip(what + ": how much of what there may be is used.", { component: c.name, knob }) }, format.metric(metric, used), " / ", format.metric(metric, of)));
}

function troubles(all) {
  const list = all.filter((c) => c.health && c.health !== "UP" && !/^stopp/.test(c.state)); // what stops is out of service on purpose
  return list.length > 0 && card("Needs a look", null, h("ul", { class: "plain troubles" }, list.slice(0, 20).map((c) => h("li", { "data-component": c.name, key: c.name }, badge(c.health), " ", nameLink(c.name), c.reason && h("p", null, c.reason)))));
}

function alarmCard() {
  if (!can("GET", "/alarms")) return null;
  const answer = use("/alarms", 3000);
  return card("Alarms", { aside: h("a", { href: linkTo("alarms") }, "all") }, alarmList(answer, true));
}

function previous() {
  if (!can("GET", "/shutdown-report")) return null;
  const report = use("/shutdown-report", 0);
  return runCard(report.data);
}

function latest() {
  const list = state.events.slice(-8).reverse();
  return card("Latest events", { aside: h("a", { href: linkTo("events") }, "all") }, list.length ? h("ol", { class: "events small" }, list.map((e) => lazy(e.seq, eventRow, e))) : note("Nothing has happened since this page was opened."));
}
