// What a number means and which key of the configuration changes it, beside
// whatever has the pointer or the focus. The key is asked for when somebody looks.

import { h, draw } from "./dom.js";
import { ask, can, inPath } from "./api.js";

let box;
let shown = null;
const keys = new Map(); // by component: a promise of its knobs

// tip are the attributes of an element that explains itself. of is {component,
// knob}: whose knob changes it.
export function tip(help, of) {
  return { "data-help": help || null, "data-of": of?.knob ? of.component : null, "data-turned-by": of?.knob || null };
}

export function start() {
  box = document.createElement("div");
  box.id = "tip";
  box.setAttribute("role", "tooltip");
  box.popover = "manual";
  document.body.append(box);
  for (const type of ["pointerover", "focusin"]) document.addEventListener(type, (e) => show(e.target.closest?.("[data-help]"), type));
  for (const type of ["pointerout", "focusout", "pointerdown"]) document.addEventListener(type, hide);
  document.addEventListener("keydown", (e) => e.key === "Escape" && hide());
  document.addEventListener("scroll", hide, true);
}

function hide() {
  if (!shown) return;
  shown.removeAttribute("aria-describedby");
  shown = null;
  if (box.matches(":popover-open")) box.hidePopover();
}

function show(el, type) {
  if (!el || el === shown) return;
  if (type === "focusin" && !el.matches(":focus-visible")) return;
  hide();
  shown = el;
  el.setAttribute("aria-describedby", "tip");
  fill(el, null);
  const { of, turnedBy } = el.dataset;
  if (of && can("GET", "/components/{name}/knobs")) {
    knobsOf(of).then((knobs) => shown === el && fill(el, knobs.find((k) => k.name === turnedBy)));
  }
}

function knobsOf(component) {
  if (!keys.has(component)) {
    keys.set(component, ask({ path: inPath("/components/{name}/knobs", component) }).then((a) => a.knobs, () => {
      keys.delete(component); // the next look asks again
      return [];
    }));
  }
  return keys.get(component);
}

function fill(el, knob) {
  draw(box, h("p", null, el.dataset.help), knob?.key && h("p", { class: "key" }, "changed by ", h("code", null, knob.key), knob.cold ? ", at the next start" : ", while it runs"));
  if (!box.matches(":popover-open")) box.showPopover();
  const at = el.getBoundingClientRect();
  const { offsetWidth: w, offsetHeight: t } = box;
  box.style.left = Math.max(6, Math.min(at.left, innerWidth - w - 6)) + "px";
  box.style.top = (at.bottom + t + 10 > innerHeight ? Math.max(6, at.top - t - 6) : at.bottom + 6) + "px";
}
