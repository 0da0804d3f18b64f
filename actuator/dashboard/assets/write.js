// Every change goes through one dialog: it says what is sent (as a curl, too),
// shows what it would change, asks, sends, and shows what came of it. It knows
// what 409, 412 and 422 mean.

import { h, draw } from "./dom.js";
import { ask, curl } from "./api.js";
import { stale } from "./resource.js";
import * as format from "./format.js";
import { table, tree } from "./parts.js";

let dialog;
let current = null;

// propose opens the dialog. what is
//
//	title, text   what is to be done, and what that means
//	action        its name, for the button
//	request(o)    the request, with the options that were chosen: {ttl, persist}
//	options       which options there are: ["ttl", "persist"]
//	dryRun        ?dryRun=true shows the difference
//	danger        it cannot be taken back
//	show(preview) draws the answer of a dry run, outcome(answer) that of the real
//	              thing; without them they are drawn as they are
//	again()       reads again what the request was made for, after a conflict:
//	              {values, mine, revision}
//	done(answer)  is called when it was done
export function propose(what) {
  current = { what, phase: "ask", options: {}, preview: null, error: null, answer: null, copied: false };
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "ask-title");
    dialog.addEventListener("close", () => (current = null));
    dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
    document.body.append(dialog);
  }
  redraw();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[data-confirm]")?.focus();
  rehearse(current);
}

async function rehearse(c) {
  if (!c.what.dryRun) return;
  c.error = null;
  const request = c.what.request(c.options);
  try {
    c.preview = await ask({ ...request, query: { ...request.query, persist: undefined, dryRun: "true" } });
  } catch (err) {
    c.preview = null;
    await refused(c, err);
  }
  if (c === current) redraw();
}

async function confirm(c) {
  c.phase = "sending";
  c.error = null;
  redraw();
  try {
    c.answer = await ask(c.what.request(c.options));
    c.phase = "done";
    stale();
    c.what.done?.(c.answer);
  } catch (err) {
    c.phase = "ask";
    await refused(c, err);
  }
  if (c === current) redraw();
}

async function refused(c, err) {
  c.error = err;
  if (err.status === 412 && c.what.again) c.found = await c.what.again().catch(() => null);
}

async function lookAgain(c) {
  c.what.accept?.(c.found);
  c.found = null;
  c.error = null;
  await rehearse(c);
  redraw();
}

function redraw() {
  const c = current;
  if (!c) return;
  const { what } = c;
  const request = what.request(c.options);
  const conflict = c.error?.status === 412; // what was shown is not so any more, and sent again it is refused again
  draw(dialog, h("form", { method: "dialog", class: "ask", onsubmit: (e) => e.preventDefault() },
    h("h2", { id: "ask-title" }, what.title),
    what.text && h("p", null, what.text),
    c.phase !== "done" && choices(c),
    c.phase !== "done" && !conflict && c.preview && (what.show ? h("div", { class: "preview", "data-preview": true }, what.show(c.preview)) : difference(c.preview)),
    c.error && trouble(c),
    c.phase === "done" && outcome(c),
    h("details", { key: "curl", open: true, class: "curl" }, h("summary", null, "The same in a terminal"),
      h("pre", { tabindex: "0" }, h("code", null, curl(request))),
      h("button", { type: "button", class: "small", "data-copy": true, onclick: () => copy(c, curl(request)) }, c.copied ? "Copied" : "Copy")),
    h("footer", { key: "buttons" },
      h("button", { type: "button", onclick: () => dialog.close() }, c.phase === "done" ? "Close" : "Cancel"),
      c.phase !== "done" && h("button", {
        type: "button", class: what.danger ? "primary danger" : "primary", "data-confirm": true,
        disabled: c.phase === "sending" || conflict || (c.preview?.after && !Object.keys(c.preview.after).length && !c.options.persist), onclick: () => confirm(c),
      }, c.phase === "sending" ? "Sending…" : what.confirm || "Confirm"))));
  // A button that is gone, or cannot be pressed any more, takes the focus with it.
  if (dialog.open && !dialog.contains(document.activeElement)) dialog.querySelector("footer button:not(:disabled)[data-confirm], footer button")?.focus();
}

function choices(c) {
  const has = (name) => (c.what.options || []).includes(name);
  const choose = (change) => {
    Object.assign(c.options, change);
    redraw();
  };
  return (has("ttl") || has("persist")) && h("fieldset", null,
    has("ttl") && h("label", null, "Take it back after ", h("select", { value: c.options.ttl || "", disabled: c.options.persist || false, onchange: (e) => choose({ ttl: e.target.value }) },
      [["", "never"], ["1m", "1 minute"], ["10m", "10 minutes"], ["1h", "1 hour"], ["24h", "1 day"]].map(([v, text]) => h("option", { value: v }, text)))),
    has("persist") && h("label", { class: "check" }, h("input", { type: "checkbox", checked: c.options.persist || false, onchange: (e) => choose({ persist: e.target.checked, ttl: "" }) }), " Keep it for the next start"));
}

// difference is what a dry run says: knobs before and after, or whatever it is.
function difference(preview) {
  if (preview.entry) { // an action: what it would do, or else with which arguments
    const would = preview.answer ?? preview.entry.after;
    return Object.keys(would || {}).length > 0 && h("div", { class: "preview", "data-preview": true }, h("p", { class: "dim" }, preview.answer ? "It would do this:" : "With these arguments:"), tree(would));
  }
  if (!preview.after) return h("div", { class: "preview" }, tree(preview));
  const names = Object.keys(preview.after);
  return h("div", { class: "preview", "data-preview": true }, names.length
    ? table([
        { head: "What changes", cell: (n) => n },
        { head: "Now", num: true, cell: (n) => h("span", { class: "was" }, format.knob(preview.before?.[n])) },
        { head: "Then", num: true, cell: (n) => h("b", null, format.knob(preview.after[n])) },
      ], names, { key: (n) => n, label: "What would change" })
    : h("p", { class: "note" }, "It is so already: nothing would change."));
}

function trouble(c) {
  const { error } = c;
  const knobs = error.body?.knobs || error.body?.arguments;
  if (error.status === 412) {
    return h("div", { class: "failure", role: "alert", "data-conflict": true },
      h("strong", null, "Somebody has changed it since you looked."),
      c.found && table([
        { head: "Knob", cell: (n) => n },
        { head: "Is now", num: true, cell: (n) => h("b", null, format.knob(c.found.values[n])) },
        { head: "You want", num: true, cell: (n) => format.knob(c.found.mine[n]) },
      ], Object.keys(c.found.mine), { label: "What it is now" }),
      h("p", null, "Nothing was changed. ", c.what.accept && h("button", { type: "button", "data-action": "look-again", onclick: () => lookAgain(c) }, "Look again, and propose mine anew")));
  }
  return h("div", { class: "failure", role: "alert", "data-refused": error.status },
    h("strong", null, error.body?.needs_restart ? "It needs a restart." : error.status === 422 ? "It was refused." : error.status ? "The service answered " + error.status + "." : "Nobody has answered."),
    knobs ? h("ul", null, Object.entries(knobs).map(([name, why]) => h("li", { "data-knob-error": name }, h("code", null, name), " ", why))) : h("p", null, error.message));
}

function outcome(c) {
  return h("div", { class: "success", role: "status", "data-done": true }, h("strong", null, "Done."),
    c.what.outcome && h("p", null, c.what.outcome(c.answer)),
    c.answer?.after && h("p", null, Object.entries(c.answer.after).map(([n, v]) => h("span", null, h("code", null, n), " is now ", h("b", null, format.knob(v)), ". "))),
    c.answer?.until && h("p", null, "It is taken back at " + format.clock(c.answer.until) + "."),
    c.answer?.persisted && h("p", null, "It is kept for the next start."),
    c.answer && !c.answer.after && !c.what.outcome && tree(c.answer.entry ? c.answer.answer : c.answer));
}

async function copy(c, text) {
  try {
    await navigator.clipboard.writeText(text);
    c.copied = true;
  } catch {
    // Without a secure context there is no clipboard: the text is selected instead.
    getSelection().selectAllChildren(dialog.querySelector(".curl code"));
  }
  redraw();
}

