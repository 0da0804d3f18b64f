// The knobs of a component, to be read and turned, and what it can be told to do.

import { h } from "./dom.js";
import { ask, can, inPath } from "./api.js";
import { use, stale } from "./resource.js";
import { propose } from "./write.js";
import { state, changed } from "./store.js";
import { card, note, waiting } from "./parts.js";
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
  if (!asked.data) return card("Knobs", null, waiting(asked));
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
    control(k, value, edit, common),
    h("p", { id: id + "-help", class: "dim" }, k.help, " ", bounds && bounds + ".", k.key && [" ", h("code", null, k.key)]));
}

// control is what a value of a knob is given with.
function control(k, value, edit, attrs) {
  if (k.type === "choice") return h("select", { ...attrs, value: String(value), onchange: (e) => edit(e.target.value) }, (k.choices || []).map((v) => h("option", { value: v }, v)));
  if (k.type === "bool") return h("input", { ...attrs, type: "checkbox", checked: value === true || value === "true", onchange: (e) => edit(e.target.checked) });
  return h("input", { ...attrs, type: "text", inputmode: k.type === "int" ? "numeric" : k.type === "float" ? "decimal" : "text", spellcheck: "false", autocomplete: "off", value: format.knob(value), oninput: (e) => edit(e.target.value) });
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

// given are the arguments that were typed, by component, action and name.
const given = new Map();

export const canAct = () => can("POST", ACTIONS);

// actions is the card with what a component can be told to do. The feed knows the
// names; what they mean and want a closer look tells.
export function actions(c, details) {
  if (!c.actions?.length || !canAct()) return null;
  return card("Actions", null, c.actions.map((name) => {
    const action = details?.actions?.find((a) => a.name === name) || { name };
    return h("div", { class: "action", key: name },
      h("p", null, h("b", null, format.words(name)), " ", h("span", { class: "dim" }, action.help)),
      (action.args || []).map((k) => argument(c, name, k)),
      actButton(c, action));
  }));
}

function argument(c, action, k) {
  const at = [c.name, action, k.name].join(" ");
  const give = (value) => {
    given.set(at, value);
    changed();
  };
  return h("label", { key: k.name, ...tip(k.help) }, h("span", null, format.words(k.name)), control(k, given.get(at) ?? k.value ?? "", give, { "data-arg": k.name }));
}

// actButton is one action of a component as a button.
export function actButton(c, action) {
  if (!canAct()) return null;
  const send = () => act(c, action, Object.fromEntries((action.args || []).map((k) => [k, given.get([c.name, action.name, k.name].join(" "))]).filter(([, v]) => v !== undefined).map(([k, v]) => [k.name, parsed(k, v)])));
  return h("button", { type: "button", "data-action": action.name, disabled: state.life !== "running", onclick: send }, format.words(action.name) + "…");
}

// act proposes to have a component do something.
export function act(c, action, body) {
  propose({
    title: action.title || format.words(action.name) + " " + c.name, text: action.help, action: action.name, confirm: "Do it", danger: action.danger, dryRun: true,
    request: () => ({ method: "POST", path: inPath(ACTIONS, c.name, action.name), body }),
    done: () => stale(),
  });
}
