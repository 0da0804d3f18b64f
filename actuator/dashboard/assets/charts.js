// Charts: lines over the last minutes, bars of a distribution, spans of time. The
// shapes are SVG, the words HTML, so that they keep their size.

import { h } from "./dom.js";
import { SPAN, newest } from "./series.js";
import { history as kept } from "./store.js";
import { tip } from "./tip.js";
import * as format from "./format.js";

const WIDTH = 300;

// lines is a chart of {label, values, tone, tip}; unit is "count" or "seconds". limit
// is a line that the others should stay below.
export function lines({ title, series, span = SPAN, unit = "count", limit, about }) {
  const say = unit === "seconds" ? format.duration : format.count;
  const known = series.filter((s) => s.values);
  const top = ceiling(Math.max(limit || 0, ...known.map((s) => greatest(s.values))), unit);
  const model = { series: known, span, say, end: kept.end };
  return h("figure", { class: "chart" },
    h("figcaption", null, heading(title, about),
      h("ul", { class: "legend" }, known.map((s, i) => h("li", { class: s.label && "c" + (s.tone ?? i + 1), tabindex: s.tip ? "0" : null, ...s.tip }, s.label, " ", h("b", { class: "num" }, say(newest(s.values))))))),
    h("div", {
      class: "plot", tabindex: "0", role: "img", "aria-label": title + ": " + known.map((s) => s.label + " " + say(newest(s.values))).join(", "),
      onpointermove: (e) => point(e.currentTarget, model, (e.offsetX || 0) / e.currentTarget.clientWidth), onpointerleave: (e) => unpoint(e.currentTarget),
      onkeydown: (e) => step(e, model), onblur: (e) => unpoint(e.currentTarget),
    },
      h("svg", { viewBox: `0 0 ${WIDTH} 100`, preserveAspectRatio: "none", "aria-hidden": "true" },
        [25, 50, 75].map((y) => h("path", { class: "grid", d: `M0 ${y}H${WIDTH}` })),
        known.map((s, i) => h("path", { key: "a" + i, class: "area c" + (s.tone ?? i + 1), d: i === 0 ? outline(s.values, top, true) : "" })),
        known.map((s, i) => h("path", { key: "l" + i, class: "line c" + (s.tone ?? i + 1), d: outline(s.values, top, false) })),
        limit > 0 && h("path", { class: "limit", d: `M0 ${y(limit, top)}H${WIDTH}` }),
        kept.marks.filter((m) => m.at > kept.end - span).map((m) => h("path", { class: "mark", d: `M${x(m.at - kept.end + span - 1, span)} 0V100` }))),
      h("span", { class: "at high" }, say(top)), h("span", { class: "at mid" }, say(top / 2)),
      kept.marks.filter((m) => m.at > kept.end - span).map((m) => restart(m, (100 * (m.at - kept.end + span - 1)) / span)),
      !known.some((s) => s.values.some((v) => !Number.isNaN(v))) && h("span", { class: "nothing" }, "nothing yet"),
      h("span", { class: "cursor" }), h("span", { class: "readout" })),
    h("div", { class: "times" }, h("span", null, "−" + format.duration(span)), h("span", null, "now")));
}

const restart = (m, at) => h("span", { class: "restart" + (at > 80 ? " left" : ""), style: { left: at + "%" }, title: m.text }, "restart");

const heading = (title, about) => h("span", { class: "title", tabindex: about ? "0" : null, ...tip(about) }, title);

const x = (i, span) => +((i / Math.max(1, span - 1)) * WIDTH).toFixed(2);
const y = (v, top) => +(98 - (v / top) * 95).toFixed(2);

function greatest(values) {
  let most = 0;
  for (const v of values) if (v > most) most = v;
  return most;
}

// ceiling is a round number that is not below the greatest.
function ceiling(most, unit) {
  if (most <= 0) return unit === "seconds" ? 0.001 : 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((m) => m * power).find((m) => m >= most * 1.02) || 10 * power;
}

// outline is the path of a line. A short silence is bridged, a long one is a gap.
function outline(values, top, filled) {
  let d = "";
  let start = -1;
  let last = -1;
  const finish = () => {
    if (filled && last >= 0) d += `L${x(last, values.length)} 100L${x(start, values.length)} 100Z`;
  };
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    if (last < 0 || i - last > 12) {
      finish();
      start = i;
      d += "M";
    } else d += "L";
    d += x(i, values.length) + " " + y(values[i], top);
    last = i;
  }
  finish();
  return d;
}

// point shows what the values were at a place of the chart.
function point(plot, model, part) {
  const i = Math.max(0, Math.min(model.span - 1, Math.round(part * (model.span - 1))));
  const said = model.series.map((s) => s.label + " " + model.say(near(s.values, i)));
  plot.querySelector(".cursor").style.left = (100 * i) / (model.span - 1) + "%";
  const readout = plot.querySelector(".readout");
  readout.textContent = format.clock((model.end - model.span + 1 + i) * 1000) + "  " + said.join("  ");
  readout.classList.toggle("left", i > model.span / 2);
  readout.style.left = (100 * i) / (model.span - 1) + "%";
  plot.classList.add("pointed");
  plot.cursorAt = i;
}

const near = (values, i) => {
  for (let d = 0; d < 6; d++) for (const j of [i - d, i + d]) if (values[j] !== undefined && !Number.isNaN(values[j])) return values[j];
  return NaN;
};

function unpoint(plot) {
  plot.classList.remove("pointed");
}

function step(e, model) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
  if (!by) return;
  e.preventDefault();
  const from = e.currentTarget.classList.contains("pointed") ? e.currentTarget.cursorAt : model.span - 1;
  point(e.currentTarget, model, (from + by * Math.max(1, Math.round(model.span / 60))) / (model.span - 1));
}

// spark is a line without words, for a row of a table.
export function spark(values) {
  if (!values) return h("span", { class: "spark" });
  const top = ceiling(greatest(values), "count");
  return h("svg", { class: "spark", viewBox: `0 0 ${WIDTH} 100`, preserveAspectRatio: "none", "aria-hidden": "true" }, h("path", { class: "line c1", d: outline(values, top, false) }));
}

// shares turns the buckets of a distribution, each of which counts all that is not
// above its bound, into what falls between two bounds. before is taken off.
function shares(dist, before) {
  const fits = before && before.count <= dist.count;
  const earlier = new Map(fits ? before.buckets : []);
  let below = 0;
  let from = 0;
  const found = [];
  for (const [bound, upTo] of dist.buckets || []) {
    const n = upTo - (earlier.get(bound) || 0);
    found.push({ from, to: bound, n: n - below });
    [below, from] = [n, bound];
  }
  const count = dist.count - (fits ? before.count : 0);
  found.push({ from, to: Infinity, n: count - below });
  return { shares: found, count, sum: dist.sum - (fits ? before.sum : 0) };
}

// bucketOf is the bucket in which a quantile lies; more is not known of it, as the
// bounds may be far apart.
function bucketOf({ shares: list, count }, q) {
  let left = q * count;
  for (const s of list) {
    if (s.n > 0 && left <= s.n) return s;
    left -= s.n;
  }
  return undefined;
}

// atMost writes the bound of a quantile's bucket, and says what is known of it.
function atMost(name, q, s, say) {
  if (!s) return h("li", null, name, " –");
  const bound = s.to === Infinity ? "> " + say(s.from) : "≤ " + say(s.to);
  return h("li", { tabindex: "0", ...tip(`${100 * q} % of the samples are not above it. Samples are counted in buckets: it lies between ${say(s.from)} and ${s.to === Infinity ? "whatever" : say(s.to)}.`) }, name, " ", h("b", { class: "num", "data-metric": name }, bound));
}

// histogram draws where the samples fell.
export function histogram({ title, dist, before, about, unit }) {
  const say = unit === "count" ? format.count : format.duration;
  const all = shares(dist, before);
  const first = all.shares.findIndex((s) => s.n > 0);
  const last = all.shares.findLastIndex((s) => s.n > 0);
  const part = first < 0 ? [] : all.shares.slice(Math.max(0, first - 1), last + 2);
  const most = Math.max(1, ...part.map((s) => s.n));
  const points = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]].map(([name, q]) => [name, q, bucketOf(all, q)]);
  return h("figure", { class: "chart histogram" },
    h("figcaption", null, heading(title, about),
      h("ul", { class: "legend" }, points.map(([name, q, s]) => atMost(name, q, s, say)), h("li", tip("The sum of all samples by their number."), "mean ", h("b", { class: "num" }, say(all.sum / all.count))), h("li", tip("How many samples there are in this time."), "of ", h("b", { class: "num" }, format.count(all.count))))),
    part.length
      ? h("ol", { class: "bars" }, part.map((s) => h("li", { title: `${say(s.from)} to ${s.to === Infinity ? "more" : say(s.to)}: ${format.whole(s.n)} (${((100 * s.n) / all.count).toFixed(1)} %)` },
          h("span", { class: "col" }, h("i", { class: points.some(([, , of]) => of === s) ? "holds" : "", style: { height: ((100 * s.n) / most).toFixed(1) + "%" } })),
          h("span", { class: "to" }, s.to === Infinity ? "∞" : say(+s.to.toPrecision(2)).replace(" ", "")))))
      : h("p", { class: "nothing" }, "no samples in this time"));
}

// waterfall draws spans of time under each other. A row is {name, href, parts:
// [{from, took, limit, tone, text}], aside}; all are seconds from the beginning.
export function waterfall({ rows, total, limits = [], now }) {
  const most = total || 0.001;
  const at = (s) => Math.min(100, Math.max(0, (100 * s) / most)).toFixed(2) + "%";
  return h("div", { class: "waterfall" },
    h("div", { class: "scale", "aria-hidden": "true" }, [0, 0.25, 0.5, 0.75, 1].map((p) => h("span", { style: { left: 100 * p + "%" } }, format.duration(most * p)))),
    h("ol", null, rows.map((row) => h("li", { key: row.name, "data-component": row.name },
      h("a", { class: "who", href: row.href }, row.name),
      h("div", { class: "lane" },
        limits.map((l) => h("span", { class: "deadline " + l.tone, style: { left: at(l.at) }, title: l.text })),
        now !== undefined && h("span", { class: "deadline now", style: { left: at(now) } }),
        row.parts.map((p) => [
          p.limit > 0 && h("span", { class: "budget", style: { left: at(p.from), width: at(Math.min(p.limit, most - p.from)) }, title: "budget " + format.duration(p.limit) }),
          h("span", { class: "span " + p.tone, style: { left: `min(${at(p.from)}, 100% - 3px)`, width: at(p.took) }, title: p.text }),
        ])),
      h("span", { class: "took num" }, row.aside)))));
}
