package pool_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scope is a small world: who is there, and what may happen.
type scope struct {
	name       string
	submitters []modelSubmitter
	workers    int8
	minWorkers int8
	queue      int8 // 0: NoQueue
	share      int8 // what a worker takes at once
	half       int8 // not 0: a long queue, that lets the blocked in when so much is free
	impatient  bool // those who wait may leave
	reaper     bool
	laneLeaves bool
	retries    int8 // so often an item is to be tried again
	resizeable int8 // so often
	resizes    []modelLimits
	isLong     bool // only where tests may take long
}

type modelLimits struct{ workers, queue int8 }

func (s scope) begin() modelPool {
	m := modelPool{limit: s.workers, capacity: s.queue, resizesLeft: s.resizeable, retriesLeft: s.retries}
	copy(m.submitters[:], s.submitters)
	p := protocol{scope: s}
	p.unlock(&m)
	return m
}

func submits(tasks ...modelTask) modelSubmitter {
	sub := modelSubmitter{at: outside}
	copy(sub.brings[:], tasks)
	return sub
}

func batchOf(tasks ...modelTask) modelSubmitter {
	sub := submits(tasks...)
	sub.together = true
	return sub
}

func tries(tasks ...modelTask) modelSubmitter {
	sub := submits(tasks...)
	sub.try = true
	return sub
}

// within is the submitter that a parent waits for.
func within(tasks ...modelTask) modelSubmitter {
	sub := submits(tasks...)
	sub.at, sub.nested = asleep, true
	return sub
}

var (
	two    = []modelTask{closure, closure}
	scopes = []scope{
		{
			name: "LaneLeaves", workers: 1, queue: 0, share: 1, retries: 1, laneLeaves: true,
			submitters: []modelSubmitter{submits(item, item), submits(closure)},
		},
		{
			name: "TaskThatSubmits", workers: 1, queue: 2, share: 3,
			submitters: []modelSubmitter{batchOf(closure, closure, parent), submits(closure), within(closure)},
		},
		{
			name: "TaskThatSubmitsToALongQueue", workers: 1, queue: 3, share: 1, half: 3,
			submitters: []modelSubmitter{batchOf(closure, closure, parent), submits(two...), within(closure)},
		},
		{
			name: "LongQueueHeldByRetries", workers: 1, queue: 3, share: 1, half: 3, retries: 1,
			submitters: []modelSubmitter{submits(item, item), submits(closure, closure, closure)},
		},
		{
			name: "ShortQueue", workers: 2, queue: 1, share: 1, reaper: true, impatient: true,
			submitters: []modelSubmitter{submits(two...), submits(two...), tries(closure)},
		},
		{
			name: "LongQueue", workers: 1, queue: 3, share: 2, half: 2, impatient: true,
			submitters: []modelSubmitter{batchOf(two...), submits(two...), submits(two...)},
		},
		{
			name: "NoQueue", workers: 2, queue: 0, share: 1,
			submitters: []modelSubmitter{submits(two...), batchOf(two...), submits(closure)},
		},
		{
			name: "Batches", workers: 3, queue: 3, share: 2, reaper: true,
			submitters: []modelSubmitter{batchOf(two...), batchOf(two...), submits(closure)},
		},
		{
			name: "LargerBatches", workers: 3, queue: 3, share: 3,
			submitters: []modelSubmitter{batchOf(two...), batchOf(two...), batchOf(two...)},
		},
		{
			name: "Keys", workers: 2, queue: 1, share: 2, retries: 1, resizeable: 1, resizes: []modelLimits{{1, 1}},
			submitters: []modelSubmitter{submits(item, item), submits(item), submits(closure)},
		},
		{
			name: "Resize", workers: 2, queue: 2, share: 2, resizeable: 2,
			resizes:    []modelLimits{{1, 0}, {3, 1}, {1, 3}},
			submitters: []modelSubmitter{batchOf(two...), submits(two...), submits(closure)},
		},
		{
			name: "ResizeLongQueue", workers: 2, minWorkers: 1, queue: 3, share: 2, half: 2, resizeable: 1, reaper: true,
			resizes:    []modelLimits{{1, 1}, {2, 0}},
			submitters: []modelSubmitter{batchOf(two...), submits(two...), submits(closure)},
		},
		{
			name: "Everything", workers: 3, queue: 2, share: 3, reaper: true, impatient: true, laneLeaves: true, isLong: true,
			retries: 1, resizeable: 1, resizes: []modelLimits{{1, 1}, {2, 3}},
			submitters: []modelSubmitter{batchOf(two...), submits(item, closure), submits(item, item)},
		},
		{
			name: "EverythingOfALongQueue", workers: 2, queue: 3, share: 3, half: 2, reaper: true, impatient: true, isLong: true,
			retries: 1, resizeable: 2, resizes: []modelLimits{{1, 3}, {3, 1}},
			submitters: []modelSubmitter{batchOf(two...), batchOf(two...), submits(item, item)},
		},
	}
)

// rule is one of those that make up the protocol.
type rule int

const (
	none rule = iota
	submitterCalls
	searcherCallsTheNext
	searcherGivesTheTokenBack
	oneSearcher
	whoParksLeavesNoRoom
	looksAndParksInOneHold
	channelHoldsTheCall
	whoRetiresGivesTheTokenBack
	startCalls
	resizeCalls
	retryCalls
	whoLeavesCalls
	timerCalls
	workerAdmits
	longQueueHasATimer
	roomIsZeroWhileSomebodyWaits
	batchesCountAsQueued
	batchesAreSeen
	lateThiefLooksAgain
	whoJoinsTheLineLooks
	allRules
)

func (r rule) String() string {
	return [...]string{
		"", "TheSubmitterCalls", "TheSearcherCallsTheNext", "TheSearcherGivesTheTokenBack", "OneSearcher",
		"WhoParksLeavesNoRoom", "LooksAndParksInOneHold", "TheChannelHoldsTheCall", "WhoRetiresGivesTheTokenBack", "StartCalls",
		"ResizeCalls", "RetryCalls", "WhoLeavesCalls", "TheTimerCalls", "TheWorkerAdmits", "ALongQueueHasATimer",
		"RoomIsZeroWhileSomebodyWaits", "BatchesCountAsQueued", "BatchesAreSeen", "ALateThiefLooksAgain",
		"WhoJoinsTheLineLooks",
	}[r]
}

// TestWakeUps walks through every order in which a few submitters and workers
// can take the steps of the protocol: none loses a wake-up, and every one ends
// with all work done and everybody home.
func TestWakeUps(t *testing.T) {
	t.Parallel()
	for _, s := range scopes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if s.isLong && os.Getenv("LONG_TESTS") == "" {
				t.Skip("takes long: set LONG_TESTS=1")
			}
			w := newWalk(s, none)
			w.run()
			require.Empty(t, w.wrong, "\n%s", w.trace())
			require.Positive(t, w.ends)
			t.Logf("%d states, %d of them ends", len(w.states), w.ends)
		})
	}
}

// TestEachRuleIsNeeded leaves out one rule at a time. The walk must go wrong
// somewhere, or it proves nothing.
func TestEachRuleIsNeeded(t *testing.T) {
	t.Parallel()
	for r := none + 1; r < allRules; r++ {
		t.Run("But"+r.String(), func(t *testing.T) {
			t.Parallel()
			for _, s := range scopes {
				if s.isLong {
					continue
				}
				w := newWalk(s, r)
				w.run()
				if w.wrong != "" {
					t.Logf("%s, %d states:\n%s", s.name, len(w.states), w.trace())
					return
				}
			}
			assert.Fail(t, "nothing goes wrong without it")
		})
	}
}
