package browsertest

import "encoding/json"

// jsonOf is a value as JavaScript reads it.
func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // the tests give texts and numbers
	}
	return string(text)
}

// widest says which elements stand out of the window and are not scrolled by
// themselves.
const widest = `(() => {
  const out = [];
  for (const e of document.body.querySelectorAll("*")) {
    if (e.getBoundingClientRect().right <= innerWidth + 1) continue;
    let inside = false;
    for (let up = e.parentElement; up && up !== document.body; up = up.parentElement) {
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX)) inside = true;
    }
    if (!inside) out.push(e.tagName + "." + e.getAttribute("class"));
  }
  return out.slice(0, 5).join(", ");
})()`

// colours are functions for what colours look like.
const colours = `
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (a, b) => a.slice(0, 3).map((v, i) => (v * a[3] + b[i] * (255 - a[3])) / 255);
  const behind = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      layers.push(c);
      if (c[3] === 255) break;
    }
    return layers.reverse().reduce((below, c) => over(c, below), [255, 255, 255]);
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
`

// lightness is that of the background, from 0 to 1.
const lightness = `(() => {` + colours + `return light(behind(document.querySelector("main"))); })()`

// unreadable are the texts whose contrast is less than 4.5 to 1 (WCAG 2, AA), or 3
// to 1 where they are large. What cannot be pressed may be faint.
const unreadable = `(() => {` + colours + `
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = texts.nextNode(); n; n = texts.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || e.closest(":disabled, script, noscript, svg")) continue;
    const style = getComputedStyle(e);
    const back = behind(e);
    const front = over(rgba(style.color), back);
    const [high, low] = [light(front), light(back)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(ratio.toFixed(2) + " " + e.tagName + "." + e.getAttribute("class") + " " + n.data.trim().slice(0, 30));
  }
  return [...new Set(found)];
})()`

// reachable are the elements that a person can do something with: each must be
// reached by Tab. A frozen picture of them, since the page is alive.
const reachable = `[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((e) => !e.disabled && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true }))`

// focusShows: where the focus is can be seen.
const focusShows = `(() => {
  const e = document.activeElement;
  if (!e || e === document.body) return "";
  const s = getComputedStyle(e);
  const shows = (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none";
  return (shows ? "shown " : "hidden ") + e.tagName + "." + e.getAttribute("class") + " " + e.innerText?.slice(0, 30);
})()`
