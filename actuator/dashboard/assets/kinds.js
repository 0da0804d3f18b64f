// How full a component is, by its kind: which of its numbers is used of which.

const pairs = {
  pool: [["workers", "busy_workers", "max_workers", "workers"], ["queue", "queued_tasks", "queue_capacity", "queue"]],
  batcher: [["buffer", "inside", "buffer_capacity", "buffer"], ["flushes", "running_flushes", "parallel_flushes", "parallel"]],
};

// saturations are {what, used, of, metric, knob}. A kind that is not ours is full
// where it tells x and max_x, or x and x_capacity.
export function saturations(c) {
  const m = c.metrics;
  if (!m) return [];
  if (pairs[c.kind]) {
    return pairs[c.kind].map(([what, metric, of, knob]) => ({ what, metric, knob, used: metric === "inside" ? c.ledger?.inside ?? 0 : m[metric], of: m[of] })).filter((s) => s.used !== undefined && s.of > 0);
  }
  const found = [];
  for (const name in m) {
    const [base, labels = ""] = name.split(/(?=\{)/);
    for (const of of ["max_" + base, base + "_capacity", base.replace(/^files_/, "max_")]) {
      if (of !== base && m[of + labels] > 0) found.push({ what: base.replace(/_(bytes|seconds)$/, "").replaceAll("_", " ") + (labels ? " " + labels.replace(/[{}]|\w+=/g, "") : ""), metric: name, knob: of, used: m[name], of: m[of + labels] });
    }
  }
  return found;
}
