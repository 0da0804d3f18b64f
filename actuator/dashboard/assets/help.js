// What the words mean that are the same in every service: they are shown where a
// number is pointed at. What a metric means the feed says (legend).

export const ledger = {
  offered: "Every piece of work that came to the gate: accepted and rejected.",
  accepted: "Work that was let in: the caller was told so. It is done, failed, saved, dropped, lost, or still inside.",
  rejected: "Work that was refused: full, draining, closed, or its caller went away while it waited.",
  done: "Accepted work that was finished.",
  failed: "Accepted work that was tried and ended in an error or panic, which was recorded.",
  saved: "Accepted work that was not finished and was put where it can be found again.",
  dropped: "Accepted work that a discard policy, chosen in the configuration, threw away.",
  lost: "Accepted work of which nothing is left. It should be 0, always.",
  inside: "Work that is in the component now: waiting, running, or on its way between the two.",
};

export const states = {
  constructed: "It was made. Its OnStart has not been called.",
  starting: "Its OnStart runs.",
  started: "Its OnStart has succeeded.",
  stopping: "Its OnStop or PreDestroy runs.",
  stopped: "The stop is done with it.",
  failed: "Its OnStart failed, hung or panicked.",
  open: "The gate lets work in.",
  draining: "The gate refuses new root work and waits for what is inside.",
  drained: "It is out of service: new work is refused, and nothing is inside any more. Somebody can take that back.",
  paused: "The gate refuses new root work, until somebody lets it in again.",
  closed: "The gate refuses everything.",
};

export const bands = {
  ingress: "Lets work in: stops first.",
  middle: "Everything that does not say otherwise.",
  resource: "What the others work with: stops after the middle.",
  sink: "What the others tell things to: stops last.",
};

export const statuses = {
  UP: "It can do its work.",
  WARNING: "It works, and somebody should look.",
  UNKNOWN: "It could not be asked.",
  OUT_OF_SERVICE: "It is out of service on purpose: it does not start, or stops.",
  DOWN: "It cannot do its work.",
};

// fits says whether a stop has the time for what a rehearsal has found.
export const fits = {
  yes: "Even if all that came while looking is handed on, it is done within the time for waiting.",
  perhaps: "What is inside now is done in time; with what components hand on to each other it may not be.",
  no: "Not even what is inside now is done in time: the rest would be saved, or lost. A longer lifecycle.stop_timeout, or more workers, would help.",
  unknown: "Nothing was finished while it was looked, so nothing can be said. Rehearse again, or look longer (?over=10s).",
};

// turnedBy says which knob of a kind changes a metric.
const turnedBy = {
  pool: {
    workers: "workers", idle_workers: "workers", busy_workers: "workers", max_workers: "workers", min_workers: "min_workers",
    queued_tasks: "queue", queue_capacity: "queue", waiting_submitters: "queue", oldest_wait_seconds: "workers",
    queue_wait_seconds: "workers", inside: "workers", rejected: "policy", dropped: "policy", offered: "policy",
  },
  batcher: {
    buffered_items: "max_items", max_items: "max_items", buffer_capacity: "buffer", waiting_producers: "buffer", inside: "buffer",
    running_flushes: "parallel", parallel_flushes: "parallel", in_flight_items: "parallel", linger_seconds: "linger",
    oldest_batch_seconds: "linger", flushes: "linger", keys: "max_keys", journal_entries: "journal", rejected: "when_full", failed: "retry.max_attempts",
  },
  lane: { retrying_items: "retry.max_attempts", failed: "retry.max_attempts", journal_entries: "journal", burying_items: "dead_letters", saved: "journal", running_items: "timeout" },
  journal: { max_bytes: "max_bytes", files_bytes: "max_bytes", entries: "max_bytes", refusing: "when_full" },
};

// knobOf is the name of the knob that changes a metric; undefined: none is known.
// Of a component's own kind it is the knob of the same name.
export const knobOf = (kind, metric) => (turnedBy[kind] ? turnedBy[kind][metric] : metric);
