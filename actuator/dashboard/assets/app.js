// The page: its frame, which page of it is shown, the keyboard, the theme. This is
// the one module that page.html loads.

import { h, draw } from "./dom.js";
import { state, onChange, lifeWord } from "./store.js";
import { follow, retry } from "./feed.js";
import { token, useToken } from "./api.js";
import { badge, linkTo, homeOf } from "./parts.js";
import * as tooltip from "./tip.js";
import * as format from "./format.js";
import { page as overview } from "./page-overview.js";
import { page as lifecycle } from "./page-lifecycle.js";
import { page as pools } from "./page-pools.js";
import { page as batchers } from "./page-batchers.js";
import { page as journal } from "./page-journal.js";
import { page as http } from "./page-http.js";
import { page as components } from "./page-components.js";
import { page as graph } from "./page-graph.js";
import { page as health } from "./page-health.js";
import { page as alarms } from "./page-alarms.js";
import { page as events } from "./page-events.js";
import { page as config } from "./page-config.js";
import { page as loggers } from "./page-loggers.js";
import { page as threads } from "./page-threads.js";

const groups = [
  ["", [overview, lifecycle]],
  ["Work", [pools, batchers, journal, http]],
  ["Service", [components, graph, health, alarms, events]],
  ["Settings", [config, loggers, threads]],
];
const pages = groups.flatMap(([, list]) => list);

// The hash holds what is shown: #/pools/pool:sms?range=15m&q=…
function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [id, ...sel] = path.split("/");
  return { page: pages.find((p) => p.id === id) || overview, sel: sel.length ? decode(sel.join("/")) : "", query: Object.fromEntries(new URLSearchParams(query || "")) };
}

const decode = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

// set changes the query. Typing leaves no trail in the browser's history.
function set(change) {
  const at = route();
  const query = { ...at.query, ...change };
  if ("q" in change || "kind" in change) delete query.rows;
  for (const key in query) if (query[key] === "") delete query[key];
  window.history.replaceState(null, "", linkTo(at.page.id, at.sel, query));
  redraw();
}

let waiting = false;

// soon draws at the next frame, unless the page is paused.
function soon() {
  document.body.dataset.state = lifeWord();
  if (state.paused) {
    drawFrame();
    return;
  }
  redraw();
}

function redraw() {
  if (waiting) return;
  waiting = true;
  const go = () => {
    waiting = false;
    drawAll();
  };
  // A page that nobody sees has no frames, but its title is seen.
  if (document.hidden) setTimeout(go, 200);
  else requestAnimationFrame(go);
}

let frame;
let main;

function build() {
  const skip = document.createElement("a");
  skip.href = "#main";
  skip.className = "skip";
  skip.textContent = "Skip to the content";
  skip.addEventListener("click", (e) => {
    e.preventDefault();
    main.focus();
  });
  frame = document.createElement("div");
  frame.id = "frame";
  main = document.createElement("main");
  main.id = "main";
  main.tabIndex = -1;
  document.body.replaceChildren(skip, frame, main);
}

function drawAll() {
  const at = route();
  drawFrame();
  if (main.dataset.page !== at.page.id || main.dataset.sel !== at.sel) {
    main.dataset.page = at.page.id;
    main.dataset.sel = at.sel;
    window.scrollTo(0, 0);
  }
  document.title = [at.sel || at.page.title, state.hello?.name, lifeWord() === "running" ? "" : lifeWord()].filter(Boolean).join(" · ");
  draw(main, h("div", { key: at.page.id + " " + at.sel, class: "page" }, banner(), content(at)));
}

function content(at) {
  if (state.locked) return unlock();
  if (!state.hello) return h("div", { class: "empty" }, h("strong", null, state.failure ? "The service does not answer as expected" : "Connecting…"), h("p", null, state.failure ? state.failure.message : "The page asks for the feed of the service."));
  if (at.page.when && !at.page.when()) return h("div", { class: "empty" }, h("strong", null, at.page.title + " is not part of this service"), h("p", null, "Its endpoint is turned off, or no component is of this kind."));
  return at.page.view({ page: at.page.id, sel: at.sel, query: at.query, set });
}

// banner says that what is shown is not what is.
function banner() {
  const word = lifeWord();
  if (state.link === "live" || !state.hello) return null;
  return h("div", { class: "banner " + word, role: "status" }, h("b", null, word === "stopped" ? "The process has stopped." : "The connection is lost."),
    " This is what was last seen, at ", format.clock(state.at), ". The page goes on by itself when ", word === "stopped" ? "the next process answers." : "the service answers.");
}

function drawFrame() {
  const word = lifeWord();
  const at = route();
  document.body.dataset.state = word;
  draw(frame,
    h("header", { class: "top" },
      h("button", { type: "button", class: "menu", "aria-expanded": String(menu), "aria-controls": "nav", onclick: () => openMenu(!menu) }, "Menu"),
      h("a", { class: "brand", href: "#/overview" }, state.hello?.name || "lastcall"),
      h("span", { class: "life", "aria-live": "polite", "data-metric": "state" }, badge(word)),
      state.hello && h("span", { class: "facts dim" }, [state.hello.version, "pid " + state.hello.pid, state.hello.began && "up " + format.duration(Math.max(0, Math.round((state.at - new Date(state.hello.began)) / 1000))), state.hello.read_only && "read-only"].filter(Boolean).join(" · ")),
      h("span", { class: "push tools" },
        h("span", { class: "num", "data-metric": "inside", ...tooltip.tip("Work that was accepted and is not finished.") }, format.count(state.inside), " inside"),
        h("button", { type: "button", "data-action": "pause", "aria-pressed": String(state.paused), onclick: pause }, state.paused ? "Paused" : "Live"),
        h("button", { type: "button", "data-action": "theme", "aria-label": "Theme: " + theme(), onclick: nextTheme }, { auto: "Auto", light: "Light", dark: "Dark" }[theme()]),
        h("button", { type: "button", "aria-label": "Keyboard shortcuts", onclick: shortcuts }, "?"))),
    h("nav", { id: "nav", class: menu ? "open" : "", "aria-label": "Pages" }, groups.map(([name, list]) => {
      const there = list.filter((p) => !p.when || p.when());
      return there.length > 0 && h("div", { key: name }, name && h("h2", null, name), h("ul", null, there.map((p) => h("li", { key: p.id }, h("a", { href: linkTo(p.id), "data-nav": p.id, "aria-current": at.page === p && !(p === components && at.query.kind) ? "page" : null, onclick: () => openMenu(false) }, p.title)))));
    }), ownKinds(at)));
}

// ownKinds are links to the kinds of component that no page is about.
function ownKinds(at) {
  const kinds = [...new Set([...state.components.values()].map((c) => c.kind))].filter((k) => homeOf(k) === "components" && !["component", "log", "management", "config", "notifier"].includes(k)).sort();
  return kinds.length > 0 && h("div", { key: "own" }, h("h2", null, "Your own"), h("ul", null, kinds.slice(0, 12).map((k) => h("li", { key: k }, h("a", { href: linkTo("components", "", { kind: k }), "data-kind": k, "aria-current": at.page === components && at.query.kind === k ? "page" : null, onclick: () => openMenu(false) }, format.words(format.plural(k)))))));
}

let menu = false;
function openMenu(open) {
  menu = open;
  drawFrame();
}

function pause() {
  state.paused = !state.paused;
  redraw();
}

// The theme is the system's, until somebody chooses.
const themes = ["auto", "light", "dark"];
const theme = () => localStorage.getItem("lastcall.theme") || "auto";
function nextTheme() {
  localStorage.setItem("lastcall.theme", themes[(themes.indexOf(theme()) + 1) % themes.length]);
  useTheme();
  drawFrame();
}
function useTheme() {
  if (theme() === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme();
}

function unlock() {
  return h("form", { class: "unlock card", onsubmit: (e) => {
    e.preventDefault();
    useToken(e.target.elements.token.value.trim());
    state.locked = false;
    redraw();
    retry();
  } },
    h("h1", null, "This service wants its token"),
    h("p", null, "It is the value of ", h("code", null, "management.token"), ". It stays in this tab and is forgotten when you close it."),
    token() && h("p", { class: "failure", role: "alert" }, "The token that was given is not the one."),
    h("input", { type: "text", name: "username", autocomplete: "username", value: "management", hidden: true }), // a password belongs to somebody
    h("label", { for: "token" }, "Token"), h("input", { id: "token", name: "token", type: "password", autocomplete: "current-password", required: true, made: (el) => el.focus() }),
    h("button", { type: "submit", class: "primary", "data-action": "unlock" }, "Unlock"));
}

let sheet;
function shortcuts() {
  if (!sheet) {
    sheet = document.createElement("dialog");
    sheet.addEventListener("click", (e) => e.target === sheet && sheet.close());
    document.body.append(sheet);
  }
  const rows = [...pages.filter((p) => !p.when || p.when()).map((p) => ["g " + p.key, p.title]), ["/", "Filter"], ["space", "Pause, or go on"], ["m", "Light, dark, or as the system"], ["?", "This list"], ["Esc", "Close"]];
  draw(sheet, h("div", { class: "ask" }, h("h2", null, "Keyboard"), h("dl", { class: "keys" }, rows.map(([keys, what]) => [h("dt", null, keys.split(" ").map((k) => h("kbd", null, k))), h("dd", null, what)])),
    h("footer", null, h("button", { type: "button", class: "primary", onclick: () => sheet.close() }, "Close"))));
  if (!sheet.open) sheet.showModal();
}

let going = 0; // when g was pressed
function pressed(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  if (e.key === "Escape" && menu) return openMenu(false);
  if (e.target.matches?.("input, select, textarea")) {
    if (e.key === "Escape") e.target.blur();
    return;
  }
  const to = e.timeStamp - going < 1500 && pages.find((p) => p.key === e.key && (!p.when || p.when()));
  going = 0;
  if (to) {
    location.hash = linkTo(to.id);
    main.focus();
  } else if (e.key === "g") going = e.timeStamp;
  else if (e.key === "?") shortcuts();
  else if (e.key === "m") nextTheme();
  else if (e.key === " " && !e.target.matches?.("button, summary, a, [tabindex='0']")) pause();
  else if (e.key === "/") main.querySelector(".filter")?.focus();
  else return;
  e.preventDefault();
}

useTheme();
build();
tooltip.start();
onChange(soon);
window.addEventListener("hashchange", redraw);
window.addEventListener("redraw", redraw);
document.addEventListener("visibilitychange", () => document.hidden || redraw());
document.addEventListener("keydown", pressed);
redraw();
follow();
