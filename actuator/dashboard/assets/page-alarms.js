// Alarms: what somebody is to be woken for, and whether it is so.

import { h } from "./dom.js";
import { state } from "./store.js";
import { can, inPath } from "./api.js";
import { use } from "./resource.js";
import { propose } from "./write.js";
import { card, badge, empty, note, waiting, table, nameLink, filterBox, matches, paged } from "./parts.js";
import { tip } from "./tip.js";
import * as format from "./format.js";

export const page = { id: "alarms", title: "Alarms", key: "a", when: () => can("GET", "/alarms"), view };

function view(ctx) {
  const answer = use("/alarms", 2000);
  return [
    h("div", { class: "title-row" }, h("h1", null, "Alarms"), h("span", { class: "push" }, filterBox(ctx, "Filter alarms"))),
    card("Rules", null, alarmList(answer, false, ctx)),
    answer.data?.receivers?.length > 0 && card("Receivers", { aside: answer.data.muted && badge("muted", "Nobody is told at present.") }, table(receivers, answer.data.receivers, { label: "receivers", key: (r) => r.name })),
    answer.data?.history?.length > 0 && card("Told lately", { aside: h("span", { class: "dim" }, "newest first") }, paged(ctx, answer.data.history, (rows) => table(notices, rows, { label: "notices", key: (n) => n.id }))),
  ];
}

const TRY = "/alarms/{receiver}/test";

const receivers = [
  { head: "Receiver", grow: true, cell: (r) => [r.name, r.target && h("span", { class: "dim" }, " ", r.target)] },
  { head: "Pending", num: true, help: "Notices that wait or are on their way.", cell: (r) => format.whole(r.pending) },
  { head: "Delivered", num: true, help: "Notices that it has taken.", cell: (r) => format.whole(r.delivered) },
  { head: "Failed", num: true, help: "Notices that were tried in vain.", cell: (r) => format.whole(r.failed) },
  { head: "Dropped", num: true, low: true, help: "Notices that were never tried: the queue was full, or the process at its end.", cell: (r) => format.whole(r.dropped) },
  { head: "Last error", cell: (r) => r.last_error && h("span", { class: "bad" }, r.last_error) },
  { head: "", cell: (r) => can("POST", TRY) && h("button", { type: "button", class: "small", "data-action": "try", onclick: () => attempt(r) }, "Try it…") },
];

const attempt = (r) => propose({
  title: "Send a trial message to " + r.name, text: "It says that it is one. What comes of it is shown here.", action: "try", confirm: "Send it",
  request: () => ({ method: "POST", path: inPath(TRY, r.name) }),
});

const notices = [
  { head: "At", tight: true, cell: (n) => h("time", { datetime: n.at, title: n.at }, format.stamp(n.at)) },
  { head: "State", tight: true, cell: (n) => badge(n.state) },
  { head: "Component", tight: true, low: true, cell: (n) => (state.components.has(n.component) ? nameLink(n.component) : n.component) },
  { head: "What was told", most: true, cell: (n) => n.text || n.alarm },
  { head: "To", low: true, cell: (n) => (n.receivers || []).join(", ") },
];

// listOf finds the alarms in an answer.
const listOf = (data) => (Array.isArray(data) ? data : data?.alarms || data?.rules || []);
const isRaised = (a) => a.raised === true || a.firing === true || /^(raised|firing)$/.test(a.state || "");

// alarmList is all of them, or those that are raised.
export function alarmList(answer, raisedOnly, ctx) {
  if (!answer.data) return waiting(answer);
  const all = listOf(answer.data);
  const shown = all.filter((a) => (!raisedOnly || isRaised(a)) && matches(ctx?.query.q, a.component || "", a.name || a.alarm || ""));
  shown.sort((a, b) => isRaised(b) - isRaised(a));
  if (!shown.length) return empty(raisedOnly && all.length ? "All is quiet" : "No alarm", raisedOnly && all.length ? `None of ${all.length} alarms is raised.` : "No component has said what somebody is to be woken for.");
  const name = (a) => a.name || a.alarm;
  const columns = [
    { head: "State", tight: true, cell: (a) => badge(isRaised(a) ? "raised" : a.enabled === false ? "off" : a.state || "quiet") },
    { head: "Component", grow: !raisedOnly, cell: (a) => (state.components.has(a.component) ? nameLink(a.component) : a.component) },
    { head: "Alarm", cell: (a) => h("span", { tabindex: "0", ...tip(a.help || a.text || name(a)) }, name(a)) },
    { head: "Value", num: true, help: "What was found when it was looked last.", cell: (a) => (a.value === undefined || a.value === null ? "–" : [format.count(a.value), " ", a.unit]) },
    { head: "Threshold", num: true, help: "The value from which on it is raised. A rule under alarms.rules changes it.", cell: (a) => (a.threshold === undefined ? "–" : [format.count(a.threshold), " ", a.unit]) },
    { head: "Since", num: true, low: true, help: "Since when it is raised.", cell: (a) => format.clock(a.since || a.raised_at) },
  ];
  const more = { label: "alarms", key: (a) => a.component + " " + name(a) };
  if (ctx) return paged(ctx, shown, (rows) => table(columns, rows, more));
  return [table(columns.slice(1, 4), shown.slice(0, 8), more), shown.length > 8 && note(`and ${shown.length - 8} more`)];
}
