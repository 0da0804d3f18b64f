// Lifecycle: how it started, how it stops and what holds that up, and how it ended
// the last time. Here it is rehearsed, drained, and stopped.

import { h } from "./dom.js";
import { state, history, lifeWord } from "./store.js";
import { ask, can } from "./api.js";
import { use } from "./resource.js";
import { propose } from "./write.js";
import { waterfall } from "./charts.js";
import { newest } from "./series.js";
import { card, stat, value, badge, bar, note, empty, failure, table, hrefOf, nameLink } from "./parts.js";
import { tip } from "./tip.js";
import * as format from "./format.js";
import * as help from "./help.js";

export const page = { id: "lifecycle", title: "Lifecycle", key: "l", view };

let rehearsal = null; // {busy, data, error}

function view() {
  const stops = state.progress?.began || state.receipt;
  return [
    h("div", { class: "title-row" }, h("h1", null, "Lifecycle"), badge(lifeWord()), state.stage && state.stage !== lifeWord() && h("span", { class: "dim" }, state.stage), h("span", { class: "push buttons" }, buttons())),
    rehearsed(),
    stops && stopping(),
    (stops || drained()) && remaining(),
    state.receipt && receiptCard(state.receipt, "Receipt of this run"),
    starting(),
    can("GET", "/shutdown-report") && runCard(use("/shutdown-report", 0).data),
    can("GET", "/runs") && runs(),
  ];
}

// drained: it is out of service, and does not stop.
const drained = () => /^drain/.test(lifeWord()) && state.life === "running";

function buttons() {
  const busy = rehearsal?.busy;
  const running = state.life === "running";
  return [
    can("GET", "/drain") && h("button", { type: "button", "data-action": "rehearse", disabled: busy || !running || drained(), onclick: rehearse, ...tip("How long a drain would take now, against the time that a stop has. Nothing is stopped.") }, busy ? "Rehearsing…" : "Rehearse a drain"),
    can("POST", "/drain") && h("button", { type: "button", "data-action": "drain", disabled: !running || drained(), onclick: drain }, "Drain…"),
    can("DELETE", "/drain") && h("button", { type: "button", "data-action": "undrain", disabled: !drained(), onclick: undrain }, "Undrain…"),
    can("POST", "/shutdown") && h("button", { type: "button", class: "danger", "data-action": "stop", disabled: !running, onclick: stop }, "Stop…"),
  ];
}

async function rehearse() {
  rehearsal = { busy: true };
  try {
    rehearsal = { data: await ask({ path: "/drain", query: { dryRun: "true" } }), at: Date.now() };
  } catch (error) {
    rehearsal = { error };
  }
  window.dispatchEvent(new Event("redraw"));
}

function drain() {
  propose({
    title: "Drain the service", action: "drain", confirm: "Drain", danger: !can("DELETE", "/drain"),
    text: can("DELETE", "/drain") ? "New work is refused from now on, what is inside is finished. It can be undone." : "This begins the graceful stop: new work is refused, what is inside is finished or saved, then the process ends.",
    request: () => ({ method: "POST", path: "/drain", takes: [202, 503] }), dryRun: true, show: (r) => [rehearsalFacts(r), rehearsalGates(r)],
    outcome: (d) => `No new work is let in; ${format.whole(d?.inside)} pieces of work are inside. This page shows how they leave.`,
  });
}

function undrain() {
  propose({ title: "Let work in again", action: "undrain", confirm: "Undrain", text: "The gates open again, and the service is ready.", request: () => ({ method: "DELETE", path: "/drain" }), outcome: () => "New work is let in." });
}

function stop() {
  propose({
    title: "Stop the service", action: "stop", confirm: "Stop it", danger: true,
    text: "The process ends gracefully: new work is refused, what is inside is finished or saved. Whoever runs it has to start it again.",
    request: () => ({ method: "POST", path: "/shutdown" }), outcome: (a) => a?.message,
  });
}

function rehearsed() {
  if (!rehearsal || rehearsal.busy || state.life !== "running" || drained()) return null; // it was about what is now
  if (rehearsal.error) return card("Rehearsal", null, failure(rehearsal.error));
  const r = rehearsal.data;
  const close = h("button", { type: "button", class: "small", onclick: () => { rehearsal = null; window.dispatchEvent(new Event("redraw")); } }, "Close");
  return card("Rehearsal", { aside: [h("span", { class: "dim" }, "at ", format.clock(rehearsal.at), " "), close] }, rehearsalFacts(r), rehearsalGates(r), (r.notes || []).map((n) => note(n)));
}

// span writes a duration of Go as the others are written; "unknown" stays.
const span = (text) => (/\d/.test(text) ? format.duration(format.seconds(text)) : text);

const rehearsalFacts = (r) => h("div", { class: "stats" },
  stat("A drain would take", value(span(r.estimate), "What is inside now, divided by what was finished per second: of the slowest component.", { "data-metric": "estimate" }), "looked for " + span(r.over)),
  stat("At most", value(span(r.at_most), "The same, if what came while it was looked was handed on from component to component, and goes on coming.", { "data-metric": "at_most" }), "with what is handed on"),
  stat("There is time for", value(span(r.wait_time), "The part of a stop in which work is waited for: lifecycle.stop_timeout without lifecycle.reserve."), ["of a stop of ", span(r.stop_timeout), format.seconds(r.pre_stop_delay) > 0 && [", the first ", span(r.pre_stop_delay), " of it the delay"]]),
  stat("Fits", badge(r.fits)));

const rehearsalGates = (r) => table([
  { head: "Component", grow: true, cell: (g) => nameLink(g.component) },
  { head: "Inside", num: true, help: help.ledger.inside, cell: (g) => format.count(g.inside) },
  { head: "Done per second", num: true, low: true, help: "What was finished while it was looked.", cell: (g) => format.count(g.done_per_second) },
  { head: "Would take", num: true, help: "Inside, divided by done per second.", cell: (g) => span(g.estimate) },
  { head: "At most", num: true, low: true, help: "With what is handed on to it.", cell: (g) => span(g.at_most) },
  { head: "", low: true, cell: (g) => g.why && h("span", { class: "dim" }, g.why) },
], (r.gates || []).filter((g, i) => g.inside > 0 || i < 8), { key: (g) => g.gate, label: "gates" });

// The stages of a stop, each with the moment that ends it, where that is reported.
const stages = [["pre-stop delay", "pre-stop delay"], ["closing ingress", "ingress closed"], ["draining", "quiet"], ["stopping"], ["reporting"]];
const mostRows = 100;

function stageList(p, r) {
  const over = new Map((r?.stages || p.stages || []).map((s) => [s.name, s]));
  const at = r ? stages.length : stages.findIndex(([name]) => name === p.stage);
  return h("ol", { class: "stages" }, stages.map(([name, moment], i) => {
    const report = over.get(moment);
    return h("li", { class: report?.reached === false ? "missed" : i < at ? "over" : i === at ? "now" : "", "aria-current": i === at ? "step" : null, title: report?.inside || null },
      name, report && h("span", { class: "num" }, " → ", moment, " ", format.duration(format.seconds(report.at))));
  }));
}

// stopping draws the stop that goes on, or that is over.
function stopping() {
  const p = state.progress || {};
  const r = state.receipt;
  const began = new Date(p.began || r.began).getTime();
  const at = Math.max(0, (state.at - began) / 1000);
  const took = r ? format.seconds(r.took) : at;
  const limits = [["soft_deadline", "soft", "waiting ends here"], ["deadline", "hard", "the stop ends here"]].filter(([name]) => p[name] && new Date(p[name]).getFullYear() > 1).map(([name, tone, text]) => ({ at: (new Date(p[name]) - began) / 1000, tone, text }));
  const total = r ? took : Math.max(took * 1.05, ...limits.map((l) => l.at).filter((l) => l < took * 4), 1);
  return card(r ? "The stop" : "Stopping", { aside: h("span", { class: "num" }, format.duration(took), limits[1] && !r && " of " + format.duration(limits[1].at)) },
    h("p", null, "Asked for by ", h("b", null, causeText(p.cause || r?.cause)), p.cut && [". ", h("b", { class: "bad" }, p.cut)]),
    stageList(p, r),
    longest(stopRows(p, began, took, r), { total, limits, now: r ? undefined : at }),
    h("p", { class: "key-line dim" }, "A bar is a hook, the dashed frame around it is its budget; its number is how long it took. Orange: it runs, or hung. Red: it failed."));
}

// longest draws a waterfall, of many rows those that took longest.
function longest(rows, more) {
  if (rows.length <= mostRows) return waterfall({ rows, ...more });
  const took = (row) => row.parts.reduce((n, part) => n + (part.tone === "ok" ? part.took : 1e6), 0);
  const shown = new Set([...rows].sort((a, b) => took(b) - took(a)).slice(0, mostRows));
  return [waterfall({ rows: rows.filter((row) => shown.has(row)), ...more }), note(`The ${mostRows} that took longest, of ${rows.length}.`)];
}

function stopRows(p, began, took, r) {
  const running = new Map((p.hooks || []).map((k) => [k.component, k]));
  const reports = r ? new Map(r.components.map((c) => [c.name, c])) : null;
  const names = reports ? [...reports.keys()] : [...state.components.keys()];
  return names.map((name) => {
    const c = reports?.get(name) || state.components.get(name);
    const parts = [];
    for (const [phase, report] of [["OnStop", c.stop], ["PreDestroy", c.pre_destroy]]) {
      if (report) parts.push({ from: format.seconds(report.began), took: format.seconds(report.took), limit: format.seconds(report.budget), tone: report.outcome, text: `${phase}: ${report.outcome}, ${report.took}${report.error ? ", " + report.error : ""}` });
    }
    const now = running.get(name);
    if (now) {
      const from = (new Date(now.since) - began) / 1000;
      parts.push({ from, took: Math.max(0, took - from), limit: now.until ? (new Date(now.until) - new Date(now.since)) / 1000 : 0, tone: "now", text: now.phase + " runs" });
    }
    const sum = parts.reduce((n, part) => n + part.took, 0);
    return { name, href: hrefOf(name), parts, aside: parts.length ? format.duration(sum) : p.left?.includes(name) ? "waits" : "" };
  });
}

let most = new Map(); // the most that was inside a gate since this drain or stop began
let mostOf = "";

const AGES = /^oldest_\w+_seconds$/;

// lasts says for how long what is inside will be there, at the pace of the last
// seconds, and how old the oldest is, where that is known.
function lasts(g) {
  if (!g.inside) return null;
  const pace = newest(history.rate(g.component, "done", 10));
  const metrics = state.components.get(g.component)?.metrics || {};
  const oldest = Math.max(...Object.keys(metrics).filter((name) => AGES.test(name)).map((name) => metrics[name]), 0);
  return [pace > 0 ? ", some " + format.duration(Math.ceil(g.inside / pace)) + " at this pace" : "", oldest > 0 ? ", oldest " + format.duration(oldest) : ""];
}

function remaining() {
  const gates = state.progress?.gates || [];
  if (!gates.length) return null;
  const { drained: wish, began } = state.progress;
  const of = state.process + (wish?.since || began);
  if (mostOf !== of) [most, mostOf] = [new Map(), of];
  for (const g of gates) most.set(g.gate, Math.max(g.inside, most.get(g.gate) || 0));
  const shown = gates.filter((g) => most.get(g.gate) > 0);
  return card("Work still inside", { aside: h("b", { class: "num", "data-metric": "inside" }, format.count(gates.reduce((n, g) => n + g.inside, 0))) },
    wish && state.life === "running" && note(`Drained${wish.by ? " by " + wish.by : ""} at ${format.clock(wish.since)}: no new work is let in, until somebody takes it back.`),
    shown.length ? h("ul", { class: "saturation" }, shown.map((g) => h("li", { key: g.gate, "data-component": g.component },
      nameLink(g.component), badge(g.state), bar(g.inside, most.get(g.gate), g.inside + " inside"), value([format.count(g.inside), " of ", format.count(most.get(g.gate)), lasts(g)], "What is inside, of the most that was since this began. " + help.ledger.inside))))
      : empty("Nothing is inside", "All that was accepted is finished."));
}

const causeText = (cause) => (cause ? [cause.kind === "signal" ? cause.signal : cause.kind, cause.by && "by " + cause.by, cause.error && ": " + cause.error].filter(Boolean).join(" ") : "nobody known");

function starting() {
  if (!can("GET", "/startup")) return null;
  const answer = use("/startup", state.life === "running" ? 0 : 1000);
  if (answer.error && !answer.data) return card("The start", null, failure(answer.error));
  const events = answer.data?.timeline.events || [];
  const began = new Date(answer.data?.timeline.startTime).getTime();
  const tag = (e, key) => e.startupStep.tags.find((t) => t.key === key)?.value;
  const whole = events.find((e) => e.startupStep.parentId === undefined);
  const rows = events.filter((e) => e !== whole).map((e) => {
    const from = (new Date(e.startTime) - began) / 1000;
    const took = Number(/PT([\d.]+)S/.exec(e.duration)?.[1] || 0);
    return { name: tag(e, "component"), href: hrefOf(tag(e, "component")), parts: [{ from, took, tone: tag(e, "outcome"), text: tag(e, "error") || format.duration(took) }], aside: format.duration(took) };
  });
  const total = whole ? (new Date(whole.endTime) - began) / 1000 : Math.max(0.001, ...rows.map((r) => r.parts[0].from + r.parts[0].took));
  return card("The start", { aside: h("span", { class: "dim" }, whole ? "up after " : "so far ", h("b", { class: "num" }, format.duration(total)), " at " + format.stamp(began)) },
    rows.length ? longest(rows, { total }) : note("No OnStart has returned yet."));
}

// runCard says how the run before this one ended.
export function runCard(told) {
  // A service that keeps no receipt knows nothing of it: then what this page saw counts.
  const unknown = !told?.run.state || told.run.state === "none";
  const report = unknown && state.ended?.receipt ? { of: "the run before", text: "seen by this page", run: { state: "stopped", receipt: state.ended.receipt } } : told;
  if (!report) return null;
  const run = report.run;
  const before = run.state === "not up" && run.previous ? run.previous : null;
  const tone = run.state === "killed" ? "killed" : run.receipt ? (run.receipt.clean ? "clean" : "failed") : run.state;
  return card(report.of === "this run" ? "How this run ended" : "Previous exit", { class: "run" , aside: badge(tone || "unknown") },
    h("p", null, report.text),
    run.receipt && receiptFacts(run.receipt),
    run.state === "killed" && note("It ended without a stop. What was written down is replayed by this run; what was not is gone."),
    before?.receipt && [h("p", { class: "dim" }, "The run before that:"), receiptFacts(before.receipt)]);
}

function receiptFacts(r) {
  return [
    h("div", { class: "stats" },
      stat("Exit code", value(r.exit_code, "With which code the process ended.")),
      stat("Took", value(format.duration(format.seconds(r.took)), "How long the stop lasted, of lifecycle.stop_timeout."), "of " + format.duration(format.seconds(r.timeout))),
      stat("Saved", value(format.whole(r.total?.saved), help.ledger.saved)),
      stat("Lost", value(format.whole(r.work_lost), help.ledger.lost, { class: r.work_lost ? "bad" : "good" })),
      stat("Cause", h("span", { class: "text" }, causeText(r.cause)))),
    r.errors?.length > 0 && h("details", { open: r.errors.length < 4 }, h("summary", null, r.errors.length + " things went wrong"), h("ul", { class: "failure" }, r.errors.map((e) => h("li", null, e)))),
  ];
}

function receiptCard(r, title) {
  const columns = ["accepted", "done", "failed", "saved", "dropped", "lost", "inside"];
  return card(title, { class: "receipt", aside: badge(r.clean ? "clean" : "not clean") },
    receiptFacts(r),
    table([{ head: "Gate", grow: true, cell: (g) => g.name }, ...columns.map((name) => ({ head: name, num: true, help: help.ledger[name], cell: (g) => format.whole(g.ledger[name]) })), { head: "", cell: (g) => badge(g.balanced ? "balanced" : "no") }],
      [...(r.gates || []), { name: "in all", ledger: r.total, balanced: (r.gates || []).every((g) => g.balanced) }], { label: "ledgers", key: (g) => g.name }),
    r.leaks?.length > 0 && h("p", { class: "failure" }, r.leaks.length + " goroutines were left behind; the log names them."),
    (r.notes || []).map((n) => note(n)));
}

function runs() {
  const answer = use("/runs", 0);
  const list = answer.data?.runs || [];
  return list.length > 0 && card("Last runs", null, table([
    { head: "Stopped", tight: true, help: "When the stop began; of a run that was killed, when it was started.", cell: (r) => (r.receipt ? format.stamp(r.receipt.began) : r.since ? "up since " + format.stamp(r.since) : "–") },
    { head: "Was up for", num: true, low: true, help: "From the moment when all was started until the stop began.", cell: (r) => (r.receipt?.up_since ? format.duration(Math.round((new Date(r.receipt.began) - new Date(r.receipt.up_since)) / 1000)) : "–") },
    { head: "How", tight: true, cell: (r) => badge(r.receipt ? (r.receipt.clean ? "clean" : "failed") : r.state) },
    { head: "Cause", grow: true, cell: (r) => (r.receipt ? causeText(r.receipt.cause) : r.problem || "") },
    { head: "Stop took", num: true, help: "lifecycle.stop_timeout is the most.", cell: (r) => (r.receipt ? format.duration(format.seconds(r.receipt.took)) : "–") },
    { head: "Saved", num: true, help: help.ledger.saved, cell: (r) => format.whole(r.receipt?.total?.saved) },
    { head: "Lost", num: true, help: help.ledger.lost, cell: (r) => format.whole(r.receipt?.work_lost) },
    { head: "Exit code", num: true, low: true, help: "With which code the process ended.", cell: (r) => r.receipt?.exit_code ?? "–" },
  ], list.slice(0, 20), { label: "last runs" }));
}
