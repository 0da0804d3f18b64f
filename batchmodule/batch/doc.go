// Package batch collects items and hands them over in batches: to a database
// that takes a thousand rows as gladly as one, to an API that charges per
// call, to a file that is written in blocks.
//
// A [Batcher] gives a batch to its [Sink] when one of these comes first:
//
//	count   it has Config.MaxItems items
//	bytes   the next item would take it over Config.MaxBytes
//	linger  Config.Linger has passed since its FIRST item came
//	room    somebody waits for room and a flush slot is idle
//	manual  Flush was called
//	drain   the stop has begun
//
// # The way of an item
//
//	       Add                 a trigger            a slot is free
//	item ───────▶ open batch ─────────────▶ ready ────────────────▶ in flight
//	                 of its key                                      │
//	      ┌──────────────────────────┬──────────────────┬────────────┤
//	      ▼                          ▼                  ▼            ▼
//	    Done                      Failed            left over     again, after
//	    the sink took it          dead letter       the stop's    a delay
//	                                                time was up
//
// Items never go through a channel. Add appends in place, a whole slice is handed
// to the sink, and the slice is used again afterwards.
// An open batch whose linger has passed while every flush slot is taken keeps
// filling until a slot is free: a slow sink gets fuller batches, not more.
//
// # Order
//
// With [WithKey], each key has batches of its own and at most one of them is
// in flight, retries included: a later item never overtakes an earlier one of
// the same key. Without it, order is kept only while Config.Parallel is 1,
// the default.
//
// # When the sink fails
//
// The sink's error says what is to be done:
//
//	nil              every item is Done
//	ItemErrors       the items it names are tried again, the others are Done
//	Unavailable(err) the sink is down and no item is at fault: the batch waits
//	                 and is tried again for as long as the batcher runs; this
//	                 uses up none of its attempts
//	Permanent(err)   trying the same again is of no use
//	any other        the batch is tried again, Retry.MaxAttempts times in all
//
// A panic counts as any other error; it arrives as [*PanicError], and so does
// the end of the sink's goroutine ([runtime.Goexit]). [WithPanicHandler] is told
// of it, [WithRetrying] of every call that will be made again.
//
// When the attempts are used up, items that [ItemErrors] named become dead
// letters. A batch that failed as a whole is searched for the items that
// poison it: its halves are tried, then the halves of a half that failed,
// until single items are left. What the sink takes on the way is Done, a
// single item that it refuses is a dead letter. With k poison items among n
// this costs at most 2k·log2(n) calls, rounded up.
//
// A dead sink would refuse every part, so the search has a rule of its own:
// after log2(n)+8 refusals in a row without one success it splits no further;
// each part still to come gets a single call, and what is refused then goes to
// the dead letters whole. A sink that can tell should say Unavailable: that
// never splits and never fails an item.
//
// A dead letter is counted as Failed after the [WithDeadLetter] handler has
// returned, and as Lost when it has panicked. Without a handler it goes into the
// box ([WithDeadLetters]) if there is one, with its reason, its first and last
// error and its key; else it is only counted, and reported to [WithBurial] and
// [WithFlushed]. While the box does not take it the item keeps its place and its
// batch the slot: only the burial is tried again, with the delays of a retry,
// and a stop makes it a leftover. An item whose burial outlives the stop is a
// leftover too: there may be a letter of it, and it comes again, under its ID.
//
// With Config.MaxAge what has waited too long is a dead letter too ("expired"):
// it is looked at when a flush begins, before the sink is called.
//
// # Journal
//
// With [WithJournal] what is accepted outlives the process. Config.Journal says
// when it is written down:
//
//	off      never: leftovers of a stop go to the WithSave function, or are lost
//	onstop   by Save: the leftovers of a stop. Costs nothing until then; a kill
//	         loses what is inside. The default with a journal
//	always   before Add returns. What the sink took is crossed out at once, also
//	         when it took only a part of the batch
//
// What "written down" withstands is said by the store. Delivery is at least once:
// what a sink took just before a kill, or while it was being cut, comes again.
// Each item has an ID, the same at every attempt and in every life, by which a
// sink tells: [ItemsOf].
//
// Such a batcher takes nothing before Start, which opens the journal and begins
// the replay:
//
//	          Start                      all have entered
//	not started ──▶ replaying ────────────────────────────▶ open
//	ErrNotStarted   Add waits, TryAdd: ErrReplaying           │
//	                  │             Drain, Stop               │
//	                  └──────────────────┬────────────────────┘
//	                                     ▼
//	                      what has not entered stays in the journal
//
// What an earlier life has left enters in the order in which it was accepted,
// within Config.Buffer, and before anything new, so the order within a key is
// kept. It is counted as accepted, in this life, when it enters. An entry that
// cannot be read goes to the dead letters, or stays in the journal. If the
// journal cannot be read on, new items are let in, and [WithReplay] hears of it:
// the rest comes in the next life.
//
// In mode always a place is reserved before an item is written down, so that
// nothing is written down that is refused then; AddAll writes down with one call
// all that there is room for, which is by far the cheapest way. Config.Buffer
// should hold several such groups.
//
// # Back-pressure
//
// Config.Buffer bounds the items inside: in open batches, ready, in flight and
// waiting for a retry. When it is full, Add waits or refuses ([WhenFull]).
// Waiting is fair: first come, first served, TryAdd and AddAll included. Room
// is freed by whole batches, so those who wait are let in by groups, and each
// is woken once, with its item already placed. A sink that adds to its own
// batcher can wait for room that only its own return would free: give it a
// context with a deadline, or use TryAdd. During a replay it does not wait.
//
// # Stopping
//
//	Drain(ctx)  root work is refused; everything inside is flushed at once, as
//	            slots allow; work that carries lineage ([intake.Mark]) is
//	            still taken, and flushed without linger
//	Stop(ctx)   Drain; when ctx ends first, or Config.StopBudget is over:
//	            flushes in flight are cancelled with the cause ErrStopped, waits
//	            for a retry are cut, sinks get 100 ms to return, and what is not
//	            delivered is returned
//	Save(ctx)   puts what Stop left over into the journal, or gives it to the
//	            [WithSave] function
//
// A drain that begins at the [Batcher.Gate] alone is enough: it tells the
// batcher. A pause of the gate ([intake.Gate.Pause]) is a drain that can be taken
// back: everything inside is flushed at once, and when the gate is open again,
// batches linger as before. A replay is held up by a pause, and ended by a drain.
// Flush contexts carry lineage and are cancelled by nothing but the end of the
// stop's time and Config.FlushTimeout.
//
// Left over are: what no flush began with; what a flush returned an error for
// after it was cut; and what was with a sink that did not return in time. The
// latter may have been delivered all the same, so delivery across a restart is
// at least once. Leftovers stay Inside in the ledger until Save has settled
// them as Saved or Lost.
//
// # Tuning
//
// MaxItems and Linger trade latency for fewer calls. Parallel hides the sink's
// latency. Buffer is what a sink may be late by before producers feel it; it
// should hold at least (Parallel + 1) batches, for each busy key one.
//
// # Speed
//
// One mutex guards everything, so a snapshot of the ledger is exact and whatever
// was admitted before a drain is in every snapshot taken after it. Add is fast
// because of what it does not do while it has that mutex. Nearly every item
// finds an open batch with room, nobody waiting and the gate open: it is
// appended and counted, and that is all. The clock is read once for a batch, when
// its first item comes, and whoever appends the last one wakes the flush. Nothing
// is allocated but for a whole batch, and its slice is used again.
//
//	lock ─▶ open batch? room? nobody waits? gate open? ─▶ append, count ─▶ unlock
//	                │ no: once in a batch, or when it is full, or at a drain
//	                ▼
//	    open one, wait for room, seal it, hand it out, or refuse
//
// Beside a channel, a slice and a select loop written by hand an item costs about
// a sixth, with one producer as with sixteen, and with 64 keys a fifth to a
// third (BenchmarkAdd: both in one run). A flush costs a few microseconds beside
// the sink's own time, whatever is in it, which a batch of some hundred spreads thin.
//
// What the profile taught:
//
//   - The two atomic steps of the mutex are a good half of an item's cost, so
//     what comes between them has to be as short: the calls there that were not
//     inlined had cost nearly as much.
//   - Goroutines that wait for a mutex make it slower for the one that has it,
//     as Lock and Unlock leave their short ways. So a producer that finds it
//     taken lets others run once before it waits; with sixteen of them that
//     halved the cost of a bare lock, append and unlock.
//   - Slices that append grows are larger than MaxItems, and so the memory that
//     is kept for use again held fewer of them than are under way. They grow to
//     MaxItems and no further.
//   - A flush that ended gave its slot back, woke the goroutine that hands out,
//     and that took the mutex to find nothing. Now it takes what is next, or
//     gives the slot back, under one lock.
//
// What was measured and left out: several buffers with a lock each keep the order
// of a producer only if it always comes to the same one, and a goroutine has
// nothing to be told by. A place claimed with one atomic addition, with no lock, is
// as fast for one producer and twice as slow for sixteen: each item then moves a
// cache line from core to core, while with a mutex one of them does many items in
// a row.
//
// # Testing
//
// A batcher runs in a [testing/synctest] bubble: lingers and retries then take
// no time. Call [Batcher.Flush] rather than waiting for a linger.
//
// All methods are safe for concurrent use.
package batch
