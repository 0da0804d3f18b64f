// What is to be seen is described as a tree of plain values by h, and draw
// changes the document where it differs from the tree drawn before. Text is
// always a text node and never HTML, so nothing that a component says can be
// markup. Elements stay the same from one drawing to the next: focus, selection
// and what was typed survive.

const SVG = "http://www.w3.org/2000/svg";

// h describes an element. Children are texts, numbers, descriptions or lists of
// them; null and booleans are nothing. The attribute key tells siblings apart.
export function h(tag, attrs, ...kids) {
  return { tag, attrs: attrs || {}, kids: flat(kids, [], ""), key: attrs?.key };
}

// lazy describes what view(...args) returns, and does not call it again as long
// as the arguments are the same.
export function lazy(key, view, ...args) {
  return { view, args, key };
}

// draw makes the children of an element what is described.
export function draw(root, ...kids) {
  root.drawn = patchAll(root, root.drawn || [], flat(kids, [], ""));
}

// flat makes one list of nested ones. Each description gets its place: by its key,
// or by its index among what could stand there. So what is next to something that
// comes and goes stays the same element.
function flat(kids, into, place) {
  for (let i = 0; i < kids.length; i++) {
    const kid = kids[i];
    if (kid === null || kid === undefined || typeof kid === "boolean") continue;
    if (Array.isArray(kid)) {
      flat(kid, into, place + i + ".");
      continue;
    }
    const v = typeof kid === "object" ? kid : { text: String(kid) };
    v.place = place + (v.key === undefined ? i : "=" + v.key);
    into.push(v);
  }
  return into;
}

// plain takes the sting out of characters that turn the direction of what comes
// after them: a name with one of those could look like another.
const plain = (text) => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd");

const sort = (v) => (v.text !== undefined ? "#" : v.view || v.tag);

function patchAll(parent, old, next) {
  const before = new Map(old.map((v) => [v.place, v]));
  const kept = new Set();
  const pairs = next.map((v) => {
    const was = before.get(v.place);
    const fits = was && !kept.has(was) && sort(was) === sort(v);
    if (fits) kept.add(was);
    return [v, fits ? was : null];
  });
  for (const v of old) if (!kept.has(v)) v.el.remove();
  let here = parent.firstChild;
  for (const [v, was] of pairs) {
    const el = was ? patch(was, v) : create(v, parent);
    if (el === here) here = here.nextSibling;
    else parent.insertBefore(el, here);
  }
  return next;
}

function create(v, parent) {
  if (v.text !== undefined) return (v.el = document.createTextNode(plain(v.text)));
  if (v.view) {
    v.inner = v.view(...v.args);
    return (v.el = create(v.inner, parent));
  }
  const inSVG = v.tag === "svg" || (parent.namespaceURI === SVG && parent.tagName !== "foreignObject");
  v.el = inSVG ? document.createElementNS(SVG, v.tag) : document.createElement(v.tag);
  setAll(v.el, {}, v.attrs);
  v.kids = patchAll(v.el, [], v.kids);
  if (v.tag === "select" && v.attrs.value !== undefined) v.el.value = v.attrs.value; // its options are there now
  v.attrs.made?.(v.el);
  return v.el;
}

function patch(old, v) {
  v.el = old.el;
  if (v.text !== undefined) {
    if (old.text !== v.text) v.el.data = plain(v.text);
    return v.el;
  }
  if (v.view) {
    if (old.args.length === v.args.length && old.args.every((a, i) => a === v.args[i])) {
      v.inner = old.inner;
      return v.el;
    }
    v.inner = v.view(...v.args);
    if (sort(v.inner) === sort(old.inner)) return (v.el = patch(old.inner, v.inner));
    const el = create(v.inner, old.el.parentNode);
    old.el.replaceWith(el);
    return (v.el = el);
  }
  setAll(v.el, old.attrs, v.attrs);
  v.kids = patchAll(v.el, old.kids, v.kids);
  return v.el;
}

function setAll(el, old, next) {
  for (const name in old) if (!(name in next)) set(el, name, null, old[name]);
  for (const name in next) if (next[name] !== old[name]) set(el, name, next[name], old[name]);
}

function set(el, name, value, old) {
  if (name === "key" || name === "made") return;
  if (name.startsWith("on")) return listen(el, name.slice(2), value);
  if (name === "style") return restyle(el, old || {}, value || {});
  if (name === "value" || name === "checked" || name === "indeterminate") {
    el[name] = value ?? "";
    return;
  }
  if (value === null || value === undefined || value === false) el.removeAttribute(name);
  else el.setAttribute(name, value === true ? "" : value);
}

// restyle goes through the object model, which a content security policy allows.
function restyle(el, old, next) {
  for (const name in old) if (!(name in next)) el.style.removeProperty(name);
  for (const name in next) if (next[name] !== old[name]) el.style.setProperty(name, next[name]);
}

function listen(el, type, handler) {
  el.handlers ||= {};
  if (!(type in el.handlers)) el.addEventListener(type, (e) => el.handlers[type]?.(e));
  el.handlers[type] = handler;
}
