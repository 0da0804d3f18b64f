package poolmodule

import (
	"context"
	"fmt"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// poolPanel is what a pool shows of itself.
type poolPanel struct {
	*pool.Pool
	cfg    pool.Config // with defaults; of its limits those at the start
	labels *labels
}

func (p poolPanel) panel() *lifecycle.Panel {
	return &lifecycle.Panel{
		Kind:    "pool",
		Stats:   func() any { return p.Stats() },
		Metrics: p.metrics,
		Health:  func(context.Context) lifecycle.Health { return p.health(p.Stats()) },
		Inspect: func(context.Context) any { return p.inspect() },
		Knobs:   p.knobs,
		Turn:    func(_ context.Context, values map[string]any) error { return p.turn(values) },
		Alarms:  p.alarms(),
	}
}

func (p poolPanel) key(field string) string { return "pools." + p.Name() + "." + field }

func (p poolPanel) metrics() []lifecycle.Metric {
	s := p.Stats()
	return []lifecycle.Metric{
		count("workers", "Workers there are.", s.Workers),
		count("idle_workers", "Workers that have nothing to do.", s.Idle),
		count("busy_workers", "Workers that run a task, and callers that run one themselves.", s.Busy),
		count("max_workers", "How many workers there may be.", s.Limits.Workers),
		count("min_workers", "How many workers are kept when there is nothing to do.", s.Limits.MinWorkers),
		count("queued_tasks", "Tasks and items of lanes that wait for a worker.", s.Queued),
		count("queue_capacity", "How many may wait; 0: none.", s.Capacity),
		count("retrying_items", "Items of lanes that wait for their next try; each holds a place of the queue.", s.Retrying),
		count("entering_items", "Items of lanes that are written down before they enter; each holds a place of the queue.", s.Entering),
		count("waiting_submitters", "Submitters that wait for room.", s.Submitters),
		{Name: "oldest_wait_seconds", Help: "Age of what has waited longest.", Value: s.OldestWait.Seconds()},
		{Name: "longest_run_seconds", Help: "How long the task that runs longest has been seen running.", Value: s.LongestRun.Seconds()},
		distribution("queue_wait_seconds", "How long tasks waited for a worker, of those that were timed: under load 1 in 64.", s.Wait),
		distribution("run_seconds", "How long tasks ran, of those that were timed: under load 1 in 64.", s.Run),
	}
}

// health is a warning where work is kept out, or soon will be.
func (p poolPanel) health(s pool.Stats) lifecycle.Health {
	if h, ok := lifecycle.GateHealth(p.Gate()); ok {
		return h
	}
	taken := s.Queued + s.Retrying + s.Entering
	h := lifecycle.Health{Status: lifecycle.Up, Details: map[string]any{
		"busy": s.Busy, "workers": s.Limits.Workers, "queued": s.Queued, "capacity": s.Capacity, "submitters": s.Submitters,
	}}
	if s.Submitters == 0 && (s.Capacity == 0 || taken < s.Capacity) {
		return h
	}
	h.Status = lifecycle.Warning
	h.Reason = fmt.Sprintf("saturated: %d of %d workers are busy, %d of %d places of the queue are taken, and %s; raise %s or %s, or slow down who submits",
		s.Busy, s.Limits.Workers, taken, s.Capacity, p.fate(s.Submitters), p.key("workers"), p.key("queue"))
	if 2*s.Retrying > s.Capacity {
		h.Reason += fmt.Sprintf("; %d places are held by items that wait for their next try: look at what the handlers of its lanes call", s.Retrying)
	}
	return h
}

// fate is what becomes of work for which there is no room.
func (p poolPanel) fate(submitters int) string {
	switch p.cfg.Policy {
	case pool.Abort:
		return "new work is refused"
	case pool.CallerRuns:
		return "submitters run their work themselves"
	case pool.DiscardNewest:
		return "new work is thrown away"
	case pool.DiscardOldest:
		return "the oldest work is thrown away"
	default:
		return fmt.Sprintf("%d submitters wait", submitters)
	}
}

// knobs are the limits as they are now, and what a restart is needed for.
func (p poolPanel) knobs() []lifecycle.Knob {
	l := p.Limits()
	return []lifecycle.Knob{
		{
			Name: "workers", Key: p.key("workers"), Type: lifecycle.IntKnob, Value: int64(l.Workers), Min: int64(1), Max: int64(pool.MaxWorkers),
			Help: "The greatest number of workers; fewer: the surplus goes as soon as it has finished what it runs.",
		},
		{
			Name: "min_workers", Key: p.key("min_workers"), Type: lifecycle.IntKnob, Value: int64(l.MinWorkers), Min: int64(0), Max: int64(pool.MaxWorkers),
			Help: "How many workers are kept when there is nothing to do; not more than workers.",
		},
		{
			Name: "queue", Key: p.key("queue"), Type: lifecycle.IntKnob, Value: int64(l.Queue), Min: int64(pool.NoQueue), Max: int64(pool.MaxQueue),
			Help: "How many tasks may wait; -1: none, work is handed to a free worker. A queue that shrinks drops nothing.",
		},
		{
			Name: "policy", Key: p.key("policy"), Type: lifecycle.ChoiceKnob, Value: p.cfg.Policy.String(), Choices: policies(), Cold: true,
			Help: "What becomes of new work when the queue has no room.",
		},
		{
			Name: "idle_timeout", Key: p.key("idle_timeout"), Type: lifecycle.DurationKnob, Value: p.cfg.IdleTimeout, Cold: true,
			Help: "How long a worker above min_workers stays with nothing to do.",
		},
		stopBudget(p.key("stop_budget"), p.cfg.StopBudget),
	}
}

func policies() (names []string) {
	for p := pool.Block; p <= pool.DiscardOldest; p++ {
		names = append(names, p.String())
	}
	return names
}

// turn changes the limits that it is given, and no others: Resize by itself
// would lower min_workers with workers.
func (p poolPanel) turn(values map[string]any) error {
	var to pool.Limits
	if v, ok := values["workers"].(int64); ok {
		to.Workers = int(v)
	}
	if v, ok := values["queue"].(int64); ok {
		if v == 0 {
			return fmt.Errorf("queue: is 0; give -1 for no queue, or how many tasks may wait")
		}
		to.Queue = int(v)
	}
	v, ok := values["min_workers"].(int64)
	switch kept := p.Limits().MinWorkers; {
	case ok && v == 0:
		to.MinWorkers = -1
	case ok:
		to.MinWorkers = int(v)
	case to.Workers != 0 && to.Workers < kept:
		return fmt.Errorf("workers: is %d, less than min_workers (%d); lower min_workers too", to.Workers, kept)
	}
	return p.Resize(to)
}
