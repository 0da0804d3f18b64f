// Lifecycle: how it started, how it stops and what holds that up, and how it ended
// the last time. Here it is rehearsed, drained, and stopped.

import { h } from "./dom.js";
import { state, lifeWord } from "./store.js";
import { ask, can } from "./api.js";
import { use } from "./resource.js";
import { propose } from "./write.js";
import { waterfall } from "./charts.js";
import { card, stat, badge, bar, note, empty, failure, table, hrefOf, nameLink } from "./parts.js";
import { tip } from "./tip.js";
import * as format from "./format.js";
import * as help from "./help.js";

export const page = { id: "lifecycle", title: "Lifecycle", key: "l", view };

let rehearsal = null; // {busy, data, error}

function view() {
  const stops = state.progress?.began || state.receipt;
  return [
    h("div", { class: "title-row" }, h("h1", null, "Lifecycle"), badge(lifeWord()), state.stage && state.stage !== state.life && h("span", { class: "dim" }, state.stage), h("span", { class: "push buttons" }, buttons())),
    rehearsed(),
    stops && stopping(),
    (stops || lifeWord() === "draining") && remaining(),
    state.receipt && receiptCard(state.receipt, "Receipt of this run"),
    starting(),
    can("GET", "/shutdown-report") && runCard(use("/shutdown-report", 0).data),
    can("GET", "/runs") && runs(),
  ];
}

function buttons() {
  const busy = rehearsal?.busy;
  const running = state.life === "running";
  return [
    can("GET", "/drain") && h("button", { type: "button", "data-action": "rehearse", disabled: busy || !running, onclick: rehearse, ...tip("How long a drain would take now, against the time that a stop has. Nothing is stopped.") }, busy ? "Rehearsing…" : "Rehearse a drain"),
    can("POST", "/drain") && h("button", { type: "button", "data-action": "drain", disabled: !running || lifeWord() === "draining", onclick: drain }, "Drain…"),
    can("DELETE", "/drain") && h("button", { type: "button", "data-action": "undrain", disabled: !running || lifeWord() !== "draining", onclick: undrain }, "Undrain…"),
    can("POST", "/shutdown") && h("button", { type: "button", class: "danger", "data-action": "stop", disabled: !running, onclick: stop }, "Stop…"),
  ];
}

async function rehearse() {
  rehearsal = { busy: true };
  try {
    rehearsal = { data: await ask({ path: "/drain", query: { dryRun: "true" } }) };
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
  if (!rehearsal || rehearsal.busy) return null;
  if (rehearsal.error) return card("Rehearsal", null, failure(rehearsal.error));
  const r = rehearsal.data;
  const close = h("button", { type: "button", class: "small", onclick: () => { rehearsal = null; window.dispatchEvent(new Event("redraw")); } }, "Close");
  return card("Rehearsal", { aside: close }, rehearsalFacts(r), rehearsalGates(r), (r.notes || []).map((n) => note(n)));
}

const rehearsalFacts = (r) => h("div", { class: "stats" },
  stat("A drain would take", h("span", { class: "num", "data-metric": "estimate" }, r.estimate), [r.at_most && `at most ${r.at_most}, `, "looked for ", r.over]),
  stat("There is time for", r.wait_time, "of a stop of " + r.stop_timeout),
  stat("Fits", badge(r.fits)));

const rehearsalGates = (r) => table([
  { head: "Component", grow: true, cell: (g) => nameLink(g.component) },
  { head: "Inside", num: true, cell: (g) => format.count(g.inside) },
  { head: "Done per second", num: true, low: true, cell: (g) => format.count(g.done_per_second) },
  { head: "Would take", num: true, cell: (g) => g.estimate },
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
    longest(stopRows(p, began, took, r), { total, limits, now: r ? undefined : at }));
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

let most = new Map(); // the most that was inside a gate since this stop began
let mostOf = "";

function remaining() {
  const gates = state.progress?.gates || [];
  if (!gates.length) return null;
  if (mostOf !== state.process) [most, mostOf] = [new Map(), state.process];
  for (const g of gates) most.set(g.gate, Math.max(g.inside, most.get(g.gate) || 0));
  const shown = gates.filter((g) => most.get(g.gate) > 0);
  const drained = state.progress.drained;
  return card("Work still inside", { aside: h("b", { class: "num", "data-metric": "inside" }, format.count(gates.reduce((n, g) => n + g.inside, 0))) },
    drained && note(`Drained${drained.by ? " by " + drained.by : ""} at ${format.clock(drained.since)}: no new work is let in, until somebody takes it back.`),
    shown.length ? h("ul", { class: "saturation" }, shown.map((g) => h("li", { key: g.gate, "data-component": g.component },
      nameLink(g.component), badge(g.state), bar(g.inside, most.get(g.gate), g.inside + " inside"), h("span", { class: "num" }, format.count(g.inside), " of ", format.count(most.get(g.gate))))))
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
    h("div", { class: "stats" }, [
      ["Exit code", r.exit_code, "With which code the process ended."], ["Took", format.duration(format.seconds(r.took)), "How long the stop lasted."],
      ["Saved", format.whole(r.total?.saved), help.ledger.saved], ["Lost", format.whole(r.work_lost), help.ledger.lost],
    ].map(([label, value, means]) => stat(label, h("span", { class: "num", tabindex: "0", ...tip(means) }, value)))),
    r.errors?.length > 0 && h("details", null, h("summary", null, r.errors.length + " things went wrong"), h("ul", null, r.errors.map((e) => h("li", null, e)))),
  ];
}

function receiptCard(r, title) {
  const columns = ["accepted", "done", "failed", "saved", "dropped", "lost", "inside"];
  return card(title, { class: "receipt", aside: badge(r.clean ? "clean" : "not clean") },
    h("div", { class: "stats" }, stat("Exit code", r.exit_code), stat("Took", format.duration(format.seconds(r.took)), "of " + format.duration(format.seconds(r.timeout))), stat("Saved", format.whole(r.total.saved)), stat("Lost", h("span", { class: r.work_lost ? "bad" : "good" }, format.whole(r.work_lost))), stat("Cause", h("span", { class: "text" }, causeText(r.cause)))),
    r.errors?.length > 0 && h("ul", { class: "failure" }, r.errors.map((e) => h("li", null, e))),
    table([{ head: "Gate", grow: true, cell: (g) => g.name }, ...columns.map((name) => ({ head: name, num: true, help: help.ledger[name], cell: (g) => format.whole(g.ledger[name]) })), { head: "", cell: (g) => badge(g.balanced ? "balanced" : "no") }],
      [...(r.gates || []), { name: "in all", ledger: r.total, balanced: (r.gates || []).every((g) => g.balanced) }], { label: "ledgers", key: (g) => g.name }),
    r.leaks?.length > 0 && h("p", { class: "failure" }, r.leaks.length + " goroutines were left behind; the log names them."),
    (r.notes || []).map((n) => note(n)));
}

function runs() {
  const answer = use("/runs", 0);
  const list = answer.data?.runs || [];
  return list.length > 0 && card("Last runs", null, table([
    { head: "Ended", cell: (r) => format.stamp(r.receipt?.began || r.since) },
    { head: "How", cell: (r) => badge(r.receipt ? (r.receipt.clean ? "clean" : "failed") : r.state) },
    { head: "Cause", grow: true, cell: (r) => (r.receipt ? causeText(r.receipt.cause) : r.problem || "") },
    { head: "Took", num: true, cell: (r) => (r.receipt ? format.duration(format.seconds(r.receipt.took)) : "–") },
    { head: "Saved", num: true, cell: (r) => format.whole(r.receipt?.total?.saved) },
    { head: "Lost", num: true, cell: (r) => format.whole(r.receipt?.work_lost) },
  ], list.slice(0, 20), { label: "last runs" }));
}
