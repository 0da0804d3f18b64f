// Package pool runs tasks on a bounded number of workers that can be resized,
// drained, counted and stopped without losing what was accepted.
//
// A [Pool] runs closures. A [Lane] is a typed door into a pool for data with a
// handler: its items can be retried, written down before they are accepted, and
// what a stop leaves over can be saved.
//
//	                     ┌─ Block: wait in line ─┐
//	Submit ── gate ──────┤ room?                 ├──▶ queue ──▶ batch ──▶ run ──▶ done, failed
//	           │         └─ or what Policy says ─┘      │         of a        │
//	           ▼                                        │        worker       └─▶ again, after a delay
//	  ErrDraining, ErrClosed                            └─▶ line behind a         (lanes)
//	                                                        busy key
//
// # Life
//
//	New ────▶ Start ────▶ Drain ────▶ Stop
//	queues    runs        refuses     hands back
//	                      root work   what never ran
//
// Work may be submitted before Start; it waits. Any step may be left out, and
// Stop may come at any time. A lane with a journal has a Start of its own,
// before which it takes nothing; see "Journal".
//
// # Counting
//
// Accepted work is counted once, by the gate it came through: closures by that
// of the pool, items by that of their lane. Everything that changes the ledger
// happens under the locks that a snapshot takes, except that a worker ends
// one task of its batch and begins the next. It does both in a single
// compare-and-swap of one word, which holds how many of its batch it took, how
// many were done, how many failed and whether one runs. The snapshot reads
// that word of every worker; so it sees every task in exactly one place, and
// counting costs nothing extra. What came in is counted by the places that are
// gone: see room, below.
//
// # The queue
//
// Two slices. Work comes in at the end of one, the inbox, and leaves from the
// head of the other, the front. When the front is used up they change places,
// which costs the same for one task and for thousands. No task is copied from
// one to the other, nor passed through a channel.
//
//	         inbox.mu                      Pool.mu
//	Submit ───────────▶ inbox ══▶ front ────────────▶ batch ─▶ run
//	   │                      swap      up to 64
//	   │ no room, a gate not open, a closure with a key
//	   └──────────────────────────────────▶ both locks
//
// Whoever holds Pool.mu holds the lock of the inbox too, and so sees all of the
// queue, with two exceptions. Submit, for a closure or an item of a lane that
// meets no obstacle, takes the lock of the inbox alone; and a worker gives that
// lock back before it moves a batch, which is most of its work, out of the front.
// So a submitter never waits for a worker that is busy with the queue.
//
// What Submit may do unseen is decided by whoever gives both locks back: room,
// the number of closures that may come in before somebody must look. It is zero
// while anybody waits for room, and when a worker is to be called for what comes
// next. By what is gone of room the newcomers are counted.
//
// The profile taught this shape. With one lock for all, 16 submitters paid more
// for waiting until a worker had moved its batch than for everything else. A
// ring without locks, with a compare-and-swap each for its ends and a word per
// place, cost twice as much as the two slices, and would have left the ledger,
// the bound and the policies to be made exact beside it. With 256 submitters a
// sync.Mutex was passed from one parked goroutine to the next for most of the
// time, so the inbox has a lock of its own kind; and those who wait for room do
// not wait for the drain too, which took the one channel of that for each of
// them: the gate tells the pool ([intake.OnChange]).
//
// # Batches and the bound
//
// A worker takes up to 64 closures at once, never more than its part of what
// waits (length / workers), and so few that no more than an eighth of the
// queue's capacity is in batches; a small queue has none and its bound is exact
// at any moment. What is in batches counts as queued. While submitters are
// blocked, room that a batch sets free is noticed when its worker comes back,
// or when another submitter joins them. While there are jobs in the queue
// (items of lanes, closures with a key) everything is taken one by one.
//
// A batch hides nothing: a worker that finds the queue empty takes half of the
// oldest batch, and Stop takes all. Nor does a slow task hold up what is behind it
// where the queue is never empty: whoever takes looks now and then at one of the
// workers, each at its turn, and takes its batch if that was overtaken by many. All
// hold Pool.mu, under which alone a
// batch is filled, so that a compare-and-swap against its owner settles who
// has a task.
//
// Besides its places the queue takes one task for each free worker, so that
// a pool of one worker and a queue of two accepts three tasks however slowly
// the worker gets going. That is also what makes [NoQueue] a hand-off.
//
// # The wake-up rule
//
// At most one worker is searching: woken, and not yet at the lock. Whoever
// puts in work or makes work visible calls a worker if none is searching and
// one is parked or may be started. The searcher, when it has found work or not,
// gives the token back under the locks, and if there is still work it calls the
// next in that very step. So under load nearly no task costs a goroutine
// switch, and a burst wakes as many as it needs, one after another.
//
// No wake-up can be lost. Whenever the locks are free, this holds: if work
// waits in the queue or a batch, then a worker is searching, or none is parked
// and none may be started. It holds because each of the steps that could break
// it, within one hold of the locks, keeps it:
//
//   - work comes: the submitter calls, or finds a searcher, or finds nobody. If
//     it holds the lock of the inbox alone, then there is room, and so nobody
//     to be called: there is a searcher, or there was nobody when the locks were
//     last given back, and nobody can have parked since;
//   - a searcher arrives and takes some: it calls the next;
//   - a worker wants to park: it has looked at the queue and at all batches in
//     the same hold, there was nothing, and giving the locks back it leaves no
//     room;
//   - a worker retires: it gives the token back. As nobody parks while there
//     are too many workers, none is left who could be called;
//   - the limit rises, a lane leaves, a key or a retry comes free: the one who
//     did it calls.
//
// Parking itself is safe because a worker is on the idle list before it gives
// the locks back, and its channel holds the call until it listens. Nobody
// waits by spinning (a worker that lingered for the time of a wake-up before it
// parked was tried, and gained nothing), and no timer runs but for workers above
// MinWorkers and for blocked submitters. TestWakeUps walks through every order in
// which a few submitters and workers can take these steps, and finds the lost
// wake-up in each of the rules that is left out.
//
// # What a resize does
//
// It changes the bounds under the locks. Surplus workers leave at their next
// look at the queue, parked ones at once; so that this is when the task that runs
// has ended, what is in batches goes back to the head of the queue. The queue keeps all that is in it;
// newcomers find it full until it is below its new bound, because room is
// decided anew when the locks are given back.
//
// # Blocked submitters
//
// They wait in a list, with their task. Whoever makes room puts the first
// one's task into the queue for it and then wakes it: nobody overtakes, and a
// submitter that is slow to wake does not hold up its task. A queue of 256 and
// more lets them in when half of it is free, or a millisecond after room
// appeared: one at a time they would cost a goroutine switch per task. A
// worker that lets them in yields to them, so that they refill the queue while
// the others work on its second half. While they wait TrySubmit finds the
// queue full. They leave when their context ends, and are sent home when the
// drain begins, unless they carry lineage.
//
// # Pausing
//
// A pause of the gate ([intake.Gate.Pause]) is a drain that can be taken back,
// and all that is said here of a drain holds for it, with three exceptions: it
// holds a replay up and does not end it, a lane may be opened and started
// meanwhile, and when the gate is open again, everything is as it was before.
// Who was refused has to come again.
//
// # Lineage, and how loose it is
//
// A task's context carries the right to bring in more work during a drain (see
// the package intake). While gates are open a worker uses one such context for
// one task after another. Once the drain has begun, that context loses the
// right when the task that is running ends, and every later task has one of
// its own. The looseness: a goroutine that a finished task left behind keeps
// the right until the task that its worker was running when the drain began
// has ended. Parked workers' are taken away by the drain. Where a lane drains
// alone, a worker that has run an item of it and now runs something else keeps
// the right of that item until it parks.
//
// # Stopping
//
// Stop drains within its context. When the time is up: gates close, everything
// that did not begin is taken back, the contexts of what runs are cancelled
// with [ErrStopped] as the cause, and 100 ms later at most Stop returns. A
// closure counts as done when it returns, cancelled or not; work that can fail
// or be cut belongs in a lane. The time being up is no error: what is left is
// in the result, and stays Inside in the ledger until it is settled ([Task],
// [Lane.Save]).
//
// # Journal
//
// A lane that is given a journal ([WithJournal]) keeps its items where the next
// life of the program finds them. LaneConfig.Journal says when:
//
//	                        off               onstop              always
//	the stop was too short  WithSave has      written down then:  written down before:
//	                        them, or lost     not lost            not lost
//	a handler panics        failed: a dead letter, where there is a box
//	second signal           as a stop that was too short
//	kill -9                 what is inside    what is inside      not lost
//	                        is lost           is lost
//	power loss              as kill -9        as kill -9          as far as the store
//	                                                              promises (its "sync")
//
// Work that is not lost is done at least once: what was done and not yet
// crossed out when the process died comes again, and so does an item whose
// handler a stop has abandoned. The ID tells: it stays the same ([ItemOf]).
//
// The way of an item with the journal always:
//
//	                                          ┌──────── replay, at the next Start
//	                                          ▼
//	Submit ─▶ reserve ─▶ write ─▶ accept ─▶ queue ─▶ handle ─▶ hook ─▶ cross out
//	          a place    down       │         ▲        │
//	             │         │        │         │        ├─ error: a delay, and again
//	             ▼         ▼        ▼         │        ▼
//	        ErrFull,   the place  the stop    └─── for good: to the dead letters,
//	        or what    is given   has cut:         then hook and cross out. They
//	        the policy back: the  it is left       do not take it: a delay, and
//	        says       error of   over, and        again, without the handler
//	                   the        saved
//	                   journal
//
// No lock is held while the journal writes, and what is refused leaves nothing
// in it. A place that is reserved counts against the queue's room, and a stop
// waits for who holds it; the item is in the ledger when it is accepted. What a
// discard policy drops is crossed out, and not even written down if it is the
// newcomer; a caller that runs its item itself writes it down before.
// [Lane.TrySubmit] waits for room neither in the queue nor in the journal, but it
// does write.
//
// With the journal onstop nothing is written until [Lane.Save], so that items
// cost what they cost without a journal, and their record.
//
// What it costs to write an item down: the copy and its checksum are a third of
// it. The profile found the rest around them. The clock took as long as the
// checksum: the time of acceptance is read once for all items that come within a
// millisecond. Each item was crossed out with a turn of its own, at the lock at
// which the next one was being appended: what is done leaves that to others that
// are at work, up to three, for 10 ms at most ([journal.Keeper.DoneSoon]). It took
// the pool's lock three times more than an item without a journal: a place is now
// reserved, and filled, under the lock of the inbox, and who has the last word
// about an item, the worker that crosses it out or the stop that hands it back,
// is settled by one compare-and-swap. What is dropped or buried is crossed out at
// once.
//
// Replay. [Lane.Start] opens the journal, and a goroutine of the lane brings in
// what is there, in its order and at the pace of the queue, whatever the policy.
// An item is offered and accepted when it enters. Until all have, Submit waits
// ([Lane.TrySubmit] returns [ErrReplaying]); those who wait come next, in their
// order under the policy block. Only work that runs in this very pool does not
// wait: the replay may be waiting for its worker. A drain ends the replay: what
// has not entered stays in the journal and was in nobody's ledger. Work that a
// drain still lets in by its lineage may so overtake it. A journal that fails
// in the middle leaves the rest for the next life, says so ([WithReplay]), and
// the lane opens. A pause of the lane's gate only holds the replay up. The key of
// [Lane.SubmitKey] is kept, and so is its order.
//
// Dead letters. With a box ([WithDeadLetters]) an item that failed for good, or
// is older than MaxAge, is in the box before it is counted Failed and before
// the hooks are told. While the box takes nothing the item is Inside and holds
// its place: the queue fills up and pushes back, and a stop hands it back.
//
// # Tuning
//
// Workers bounds what is done at once, Queue how much may wait; a queue that
// is always full wants more workers or another policy, not more room. Stats
// keeps waiting and running time apart: waiting long and running short wants
// workers, running long wants work on the task. [Pool.Resize] changes both
// while it runs.
//
// # Testing
//
// Everything works in a bubble of testing/synctest, delays of a minute
// included. A pool must be made and stopped within the bubble. A store in
// memory whose process can be made to die is journaltest.NewMemory.
package pool
