// What is asked for besides the feed, by those who look at it and as long as they
// look: an answer is kept, shown at once, and asked for again when it is old.

import { ask } from "./api.js";
import { state, changed } from "./store.js";

const kept = new Map();
const MOST = 40;

// use returns {data, error, at} of a path, and asks again when that is older than
// so many milliseconds; 0: only once in the life of a process.
export function use(path, every = 0, query, takes) {
  const id = path + "?" + JSON.stringify(query || {});
  let entry = kept.get(id);
  if (!entry) {
    entry = { data: undefined, error: null, at: 0, busy: false };
    kept.set(id, entry);
    if (kept.size > MOST) kept.delete(kept.keys().next().value);
  }
  const old = entry.at === 0 || (every > 0 && Date.now() - entry.at > every);
  if (old && !entry.busy && state.link === "live") load(entry, { path, query, takes });
  return entry;
}

async function load(entry, request) {
  entry.busy = true;
  try {
    entry.data = await ask(request);
    entry.error = null;
  } catch (err) {
    entry.error = err;
  }
  entry.busy = false;
  entry.at = Date.now();
  changed();
}

// stale makes everything be asked for again, at the next look: another process
// answers, or something was changed. A prefix narrows it.
export function stale(prefix = "") {
  for (const [id, entry] of kept) if (id.startsWith(prefix)) entry.at = 0;
}
