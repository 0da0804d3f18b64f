// The knobs of a component, to be read and turned, and what it can be told to do.

import { h } from "./dom.js";
import { ask, can, inPath } from "./api.js";
import { use, stale } from "./resource.js";
import { propose } from "./write.js";
import { state, changed } from "./store.js";
import { card, note, failure } from "./parts.js";
import { tip } from "./tip.js";
import * as format from "./format.js";

const KNOBS = "/components/{name}/knobs";
const ACTIONS = "/components/{name}/actions/{action}";

// edits are what was typed and not sent: {values, base}. base are the knobs that
// they were made for, so that a change by somebody else meanwhile is noticed.
const edits = new Map();

// numeric knobs go out as numbers, so that the service need not guess.
function parsed(knob, text) {
  if (knob.type === "bool") return text === true || text === "true";
  if ((knob.type === "int" || knob.type === "float") && text !== "" && !Number.isNaN(Number(text))) return Number(text);
  return text;
}

const differs = (knob, value) => value !== undefined && String(value) !== String(knob.value);

// knobs is the card with the knobs of a component. verb is the name of the change.
export function knobs(c, verb = "change") {
  if (!c.knobs || !can("GET", KNOBS)) return null;
  const asked = use(inPath(KNOBS, c.name), 3000);
  if (!asked.data) return card("Knobs", null, asked.error ? failure(asked.error) : note("Asking…"));
  const mine = edits.get(c.name);
  const shown = mine ? mine.base : asked.data;
  const hot = shown.knobs.filter((k) => !k.cold);
  const writable = can("PATCH", KNOBS) && state.life === "running";
  const wants = hot.filter((k) => differs(k, mine?.values[k.name]));
  return card("Knobs", { aside: h("span", { class: "dim" }, "revision ", shown.revision) },
    mine && mine.base.revision !== asked.data.revision && h("p", { class: "note warn", "data-stale": true }, "Somebody has changed these knobs since you began."),
    hot.length ? h("form", { class: "knobs", onsubmit: (e) => { e.preventDefault(); turn(c, verb); } },
      hot.map((k) => field(c, k, asked.data, mine, writable)),
      writable && h("div", { class: "buttons" },
        h("button", { type: "submit", class: "primary", "data-action": verb, disabled: !wants.length }, wants.length ? "Preview the change…" : "Change a value to preview it"),
        mine && h("button", { type: "button", onclick: () => { edits.delete(c.name); changed(); } }, "Undo")))
      : note("None of them can be changed while it runs."),
    shown.knobs.length > hot.length && h("details", { open: !hot.length }, h("summary", null, "Set at the start (" + (shown.knobs.length - hot.length) + ")"),
      h("dl", { class: "cold" }, shown.knobs.filter((k) => k.cold).map((k) => [
        h("dt", { tabindex: "0", ...tip((k.help || k.name) + (k.key ? " (" + k.key + ")" : "")) }, k.name), h("dd", null, h("code", null, format.knob(k.value)))]))));
}

function field(c, k, latest, mine, writable) {
  const id = "knob-" + c.name + "-" + k.name;
  const value = mine?.values[k.name] ?? k.value;
  const edit = (text) => {
    const e = edits.get(c.name) || { values: {}, base: latest };
    e.values[k.name] = text;
    edits.set(c.name, e);
    if (!e.base.knobs.some((of) => differs(of, e.values[of.name]))) edits.delete(c.name);
    changed();
  };
  const common = { id, "data-knob": k.name, disabled: !writable, "aria-describedby": id + "-help" };
  const bounds = [k.min !== undefined && k.min !== null && "At least " + k.min, k.max !== undefined && k.max !== null && "at most " + k.max].filter(Boolean).join(", ");
  return h("div", { class: "field" + (differs(k, mine?.values[k.name]) ? " edited" : ""), key: k.name },
    h("label", { for: id }, format.words(k.name)),
    k.type === "choice" ? h("select", { ...common, value: String(value), onchange: (e) => edit(e.target.value) }, (k.choices || []).map((v) => h("option", { value: v }, v)))
      : k.type === "bool" ? h("input", { ...common, type: "checkbox", checked: value === true || value === "true", onchange: (e) => edit(e.target.checked) })
      : h("input", { ...common, type: "text", inputmode: k.type === "int" ? "numeric" : k.type === "float" ? "decimal" : "text", spellcheck: "false", autocomplete: "off", value: format.knob(value), oninput: (e) => edit(e.target.value) }),
    h("p", { id: id + "-help", class: "dim" }, k.help, " ", bounds && bounds + ".", k.key && [" ", h("code", null, k.key)]));
}

function turn(c, verb) {
  const mine = edits.get(c.name);
  if (!mine) return;
  const wanted = () => Object.fromEntries(mine.base.knobs.filter((k) => !k.cold && differs(k, mine.values[k.name])).map((k) => [k.name, parsed(k, mine.values[k.name])]));
  const body = wanted();
  let revision = mine.base.revision;
  propose({
    title: "Change " + c.name, action: verb, dryRun: true, options: ["ttl", ...(mine.base.knobs.some((k) => k.key) && canPersist() ? ["persist"] : [])],
    confirm: "Change it",
    request: (o) => ({ method: "PATCH", path: inPath(KNOBS, c.name), query: { ttl: o.ttl, persist: o.persist && "true" }, body, ifMatch: `"${revision}"` }),
    again: async () => {
      const now = await ask({ path: inPath(KNOBS, c.name) });
      return { values: Object.fromEntries(now.knobs.map((k) => [k.name, k.value])), mine: body, now };
    },
    accept: (found) => {
      if (!found) return;
      revision = found.now.revision;
      mine.base = found.now;
    },
    done: () => {
      edits.delete(c.name);
      stale(inPath(KNOBS, c.name));
      changed();
    },
  });
}

// canPersist: the service says that a change can be kept for the next start.
const canPersist = () => (state.hello?.endpoints || []).some((e) => e.method === "PATCH" && e.path === KNOBS && e.query?.persist);

// actions is the card with what a component can be told to do.
const args = new Map();
export function actions(c, details) {
  if (!c.actions?.length || !can("POST", ACTIONS)) return null;
  return card("Actions", null, c.actions.map((action) => {
    const name = action.name || action;
    const about = action.help ? action : (details?.actions || []).find((a) => a.name === name) || { name };
    return h("div", { class: "action", key: name },
      (about.args || []).map((k) => h("label", null, format.words(k.name), " ", h("input", { type: "text", class: "short", "data-arg": k.name, value: args.get(c.name + " " + name + " " + k.name) ?? format.knob(k.value), oninput: (e) => args.set(c.name + " " + name + " " + k.name, e.target.value), ...tip(k.help) }))),
      actButton(c, about), about.help && h("p", { class: "dim" }, about.help));
  }));
}

// actButton is one action of a component as a button.
export function actButton(c, action) {
  const name = action.name || action;
  if (!can("POST", ACTIONS)) return null;
  return h("button", { type: "button", "data-action": name, disabled: state.life !== "running", onclick: () => act(c, typeof action === "object" ? action : { name }) }, format.words(name));
}

function act(c, action) {
  const body = {};
  for (const k of action.args || []) {
    const typed = args.get(c.name + " " + action.name + " " + k.name);
    if (typed !== undefined && typed !== "") body[k.name] = parsed(k, typed);
  }
  propose({
    title: format.words(action.name) + " " + c.name, text: action.help, action: action.name, confirm: "Do it", dryRun: true,
    request: () => ({ method: "POST", path: inPath(ACTIONS, c.name, action.name), body }),
    done: () => stale(),
  });
}

