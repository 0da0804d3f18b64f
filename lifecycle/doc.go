// Package lifecycle starts and stops the components of an Fx application so
// that no hook is skipped and no accepted work is forgotten.
//
// A component registers a [Hook] with [Append]; [Module], given once at the
// root of the application, puts a [Conductor] in charge of all hooks, plain
// fx.Hooks too. The stop is conducted once, whatever triggers it, and ends in
// a [Receipt].
//
// # The stop
//
//	not ready ─ pre-stop delay ─ ingress closes ─ drain until quiet ─ stop in order ─ PreDestroy ─ receipt
//	readiness   everything       0 new requests,  other gates take    each OnStop     right after  logged,
//	is false    keeps serving    those in flight  no root work,       in its own      its OnStop,  written
//	                             end              lineage goes on     budget          own time     as JSON
//
//	began ──────────────────────────────────────────── soft deadline ───────────────────────── deadline
//	      waiting is allowed                                          reserve: for backup hooks
//
// The deadline is that of the context given to Stop ([Config].StopTimeout, or
// fx.StopTimeout); the soft deadline comes before it by [Config].Reserve. In
// the time before it, hooks are waited for, and so is quiet: the moment at
// which no gate has anything inside. Once it has passed, or somebody has cut the waiting
// ([Conductor.Cut], a second signal), nothing is waited for any more: each
// OnStop that is left is still called, in order, with a context that has ended
// and a short grace, and then its PreDestroy, out of the reserve.
//
// A hook that has not returned when its context has ended and the grace is
// over is abandoned. The receipt names it with the line in which it hangs. One
// that panics is recovered and recorded. Neither keeps the others from their
// turn.
//
// PreDestroy is the backup hook. It runs exactly once for every component that
// was constructed, after its OnStop and before its dependencies close, whether
// it started, failed to start, stopped cleanly, hung, panicked or was never
// reached, and its time is reserved.
//
// # States
//
//	              Start            every OnStart is done            Stop
//	Constructing ───────▶ Starting ─────────────────────▶ Running ───────▶ Stopping ───▶ Stopped
//	     │                    │      a hook fails, time is up,               ▲
//	     │                    └─────────────────────────────────────────────▶│
//	     │                          or a stop is asked for                   │
//	     └──────────────────────────────────────────────────────────────────▶┘
//	                 Stop of what never started; fx.New has failed
//
// There is no way back: an application is started once. A failed start is
// rolled back by the same stop, in a time of its own. [Conductor.Ready] is true
// in Running alone, and not while it is drained.
//
// # Draining without a stop
//
//	           Drain                      nothing is inside
//	running ─────────▶ draining ──────────────────────────▶ drained
//	        ◀────────────────────────────────────────────────
//	                         Undrain
//
// [Conductor.Drain] takes an application out of service and stops nothing of it:
// readiness is false, the gates of all components are paused, ingress first, and
// what is inside comes to its end, with all that it still has to hand on. So a
// preStop hook can drain and wait for [StageDrained] before the signal comes, and
// somebody who looks at a strange instance can let it run empty and decide then.
// [Conductor.Undrain] takes it back at any time before the stop. State stays
// Running; a component without a gate is not told, but meets gates that refuse.
// Whoever pulls work from outside waits for the gate that has refused
// (intake.Error has AwaitOpen). A stop that comes meanwhile is what it would have
// been, with a [Config].PreStopDelay that has begun with the drain.
//
// # Order
//
// Three rules; the first beats the second, the second the third. A start runs
// the same order backwards.
//
//  1. Who stands on another stops before it. What stands on what is taken from
//     Fx's dependency graph, and from [Hook].After for what the graph cannot
//     see.
//  2. Bands: [Ingress], [Middle], [Resource], [Sink].
//  3. Who was registered last stops first, as in Fx.
//
// Where a dependency contradicts a band, somebody is moved to another band and
// the receipt says why: whoever must stop before an ingress component comes
// forward to it, and what is stood upon moves back to who stands on it. Names
// in After that nobody has are a warning; a cycle refuses the start. The rule
// book is executable: [Conductor.Plan].
//
// Ingress is told to stop all at once, where rule 1 does not order it: a
// component that is slow to close must not leave the others accepting.
//
// The graph is read with the names that Fx's events give to constructors, so
// rule 1 needs the tap ([Conductor.Tap], which app.New has) for constructors
// with fx.Annotate. Hooks of an fx.Invoke, and of constructors that stand on a
// decorated type, have no place in the graph: rules 2 and 3 are all there is
// for them. With [Config].Parallel, components stop beside each other where no
// rule orders them; those without a place in the graph stop alone.
//
// # Budgets
//
// An OnStop may use all the time until the soft deadline, less a slice for
// each that comes after it: twice the grace, once to end by itself and once in
// case it does not; all slices together are at most about half of the time.
// So one that hangs, and its grace, leave the next a context that is alive.
// [Budget] bounds a hook further, by a duration or by a share of what remains;
// it never takes the slices of the others.
//
// A PreDestroy gets an equal part of the reserve; where its component still
// has work inside (Hook.Gate), which it is to save, much more: those that have
// none keep half of an equal part. One that runs before the soft deadline gets
// a part of the waiting time on top of it: the waiting time is divided among
// all hooks still to be called, of which an OnStop counts four times; when no
// OnStop is left, all of it goes to backup hooks. (A backup hook that hangs
// takes time from the stops after it, but most of it stays with them. One that
// is slow and honest may save what the reserve alone would not let it save.)
// Budget.PreDestroy gives another measure, as long as each other keeps a grace
// or, if that is less, an equal part of the reserve.
//
// After a cut the reserve begins at that moment: the stop is over when it is,
// and a PreDestroy that is running is left with its part of it. A stop without
// a deadline has for this the reserve of [Config], or 5 s.
//
// Whatever hangs, the stop is over at its deadline: the last moments (a
// fiftieth of the total, at most 100 ms) are kept free for the receipt.
// At start a lint warns of budgets that cannot fit; negative ones refuse the
// start.
//
// # Waiting for a moment
//
// [Conductor.When] gives a channel for each [Signal]. Ask for a *Conductor in
// any constructor:
//
//	select {
//	case <-conductor.When(lifecycle.NotReady): // stop pulling, finish what is in hand
//	case job := <-jobs:
//	}
//
// # While it runs
//
// The receipt says how it ended. How it is, and what of it can be changed, says
// the [Panel] of each [Hook]; whoever shows it to somebody (a management server,
// a test, a command) knows components by that alone, and finds one of your own
// beside ours.
//
//	                     ┌───────────── Conductor ─────────────┐
//	Hook.Panel           │ Components  name, state, hooks, gate│   a copy of one moment
//	  Stats, Metrics ────┤ Progress    how far it has come     │   what is inside, which hook runs
//	  Health, Inspect    │ Events      what has happened       │   the last 1,000, numbered
//	  Knobs ─────────────┤ Knobs       with their revision     │
//	  Turn  ◀────────────┤ Turn        the one door            │◀─ a file, an endpoint, code
//	  Actions ◀──────────┤ Act         another, for actions    │◀─ the same
//	                     │ Audit       who, what, and when     │   the last 1,000, refusals too
//	                     │ Rollback    one of them, undone     │
//	                     └─────────────────────────────────────┘
//
// A change ([Change]) goes through one door, [Conductor.Turn], whoever asks:
//
//	find the component ─ wait for those before ─ revision ─ types and bounds ─ Panel.Turn ─ audit, event, log
//	ErrNoComponent       ctx, ErrNotUp           ErrStale   KnobErrors,         its own
//	                                                        ErrCold             error
//
// It is made as a whole or not at all. Everything that is wrong with the values
// is said at once. The revision of a component's knobs grows whenever somebody
// finds other values than before, also when code has changed them past the door,
// so what was decided on an older picture is refused (Change.If). A change for
// a time (Change.For) is taken back by the conductor to what lies below it by
// then, unless somebody has turned the same knob since; what lies below may be
// another change for a time that still holds, and goes back later. When taking
// back is refused (it no longer fits with the other knobs), the knob stays as
// it is, and audit and log say so. A change is also made during the stop, where
// more workers help a drain, until the last PreDestroy is over; then all that
// was to be taken back is forgotten, and one that hangs is left to itself.
//
// A change may be kept for the next start (Change.Persist): when it is in force
// it is given to the [Keeper] of [Conductor.PersistIn], and what cannot be kept
// is taken back. [Conductor.Rollback] takes one change of the audit back, unless
// somebody has turned one of its knobs since; so a person goes back step by step,
// and forward again.
//
// What a component can be told to do ([Action]) goes through [Conductor.Act]:
// the arguments are checked as values of knobs are, and every one is given. An
// action is not done twice at a time, but beside others, and beside changes: a
// flush that takes its time keeps nobody from more workers.
//
// What the application is made of, constructors that nobody has needed too, is in
// [Conductor.Functions]; what a component stands on in [Component].StandsOn.
//
// A panic of a function of the panel is its answer ([Component].Panel), and an
// error of Turn.
//
// A [Witness] shows all this to somebody outside, and so must be there before
// and after everything else. [Attend] registers it:
//
//	run marker ─ Open ─ each OnStart … the stop … each PreDestroy ─ receipt ─ Close ─ Stop returns
//
// It opens even before a start that fails, and sees that. Close comes exactly
// once, after [Finished] and the last event, and has up to a second, of a stop
// that is late 100 ms. One that hangs is left to itself; the receipt does not
// know of witnesses.
//
// # Receipt
//
// The receipt holds the cause of the stop and who else asked, each component
// with what its hooks, OnStart too, took, were given and returned, the ledger
// of each gate and whether it balances, goroutines left behind by component,
// and notes of what was odd. [Receipt.String] is for a person, its JSON for
// machines, [Receipt.ExitCode] for the process. Its error, and that of Stop,
// joins everything that went wrong: each a [HookError] around what the hook
// returned, a [PanicError] or a [HangError]; lost work matches [ErrWorkLost].
// [Receipt.Clean] says more than that the stop went well: the application had
// no reason to exit with anything but 0.
//
// # The run before
//
// [Config].ReceiptFile is one file for the end of one run and the beginning of
// the next. Before the first OnStart its place is taken by the run marker (the
// process, since when it runs, and what the file said before), and at the end
// of the stop by the receipt, each in one step. So a start finds one of these,
// says it in its first line of the log, and [Conductor.LastRun] has it:
//
//	a receipt               last stop: SIGTERM, 1.2s, 37 saved, 0 lost
//	of a start that failed  last run: was never up: …; the run before: killed (…)
//	a marker                last run: killed (pid 4711, running since …)
//	of one that lives       another process runs with this receipt file (…)
//	no file                 last run: none is known, …
//	anything else           last run: unknown: why
//
// It is a warning when it is more than that all was well. Killed is whoever
// left no receipt: kill -9, a power loss, a third signal, a panic in a
// goroutine, os.Exit, and in a bare fx.App a Stop that did not come to us.
// Nothing that is found there keeps an application from starting. What does
// something else than to start ([Conductor.Instead]) neither reads nor writes.
//
// The runs before that are kept too, the last 20, beside it: of "receipt.json"
// in "receipt.runs.jsonl", one on a line ([Conductor.Runs]). It is the start that
// puts there what it has found, so a stop is as quick as without, and who was
// killed is in the list like the others. A receipt that takes more than 32 KiB
// is shortened. Lines that are damaged are left out, with a warning.
//
// A marker is not synced to the disk: it is for the death of a process. After
// a power loss the file may be the one before, or empty, which is unknown.
// Processes are told apart on one machine only: one with another host name is
// taken for dead.
//
// # Concurrency
//
// All methods of Conductor may be called by anybody at any time, hooks
// included. Each hook runs in a goroutine of its own; hooks run one at a time,
// unless Parallel is on, but for ingress, which is stopped at once. A stop beside a start cancels and awaits it. A stop
// beside a stop waits for it and gets the same result; one that is called
// inside a hook waits for itself and is abandoned when its time is up. What is
// appended too late to start, or even by an OnStop, is not started but
// destroyed. No lock is held while a hook or a function of a panel runs. The
// changes of one component wait for each other; those of several do not.
//
// # Three steps of adoption
//
// A component that uses Append works in all three:
//
//	fx.New                            Append is a plain fx.Hook. PreDestroy runs right after
//	                                  OnStop, only if OnStart succeeded and Fx gets that far.
//	                                  Name, Band, After, Gate, Panel and Budget are not looked at.
//	fx.New, fxtest.New with Module    All of the above, as far as Fx calls us (see below).
//	app.New, app.Run                  All of the above, signals and exit codes.
//
// Fx calls hooks through its own Start and Stop, which bounds what Module can
// do without app.New: an fx.App that was never started does not stop, so no
// PreDestroy runs; a Stop whose context has ended calls nothing; a Start whose
// time is up returns at once, while the rollback goes on behind it, in 15 s;
// signals are Fx's.
//
// # Limits
//
//   - Go cannot end a goroutine: a hook that was abandoned may still be
//     running when its dependencies close.
//   - kill -9, or a panic in a goroutine of your own, ends the process: no
//     hook runs and there is no receipt. The next start says so.
//   - The graph writes types without the path of their package. Two types
//     spelt the same (a/db.Client, b/db.Client) count as one, which makes more
//     order, never less.
//   - Leaks are found by pprof labels. Goroutines that are started on behalf
//     of nobody, or under labels set anew, are not seen; without the tap nor
//     are those of constructors.
//   - A Gate whose ledger blocks holds the stop. Ours do not. A function of a
//     panel that blocks holds whoever called it, and a Turn that never returns
//     the door of its component; neither holds the stop.
//   - All or nothing is what Panel.Turn does. The conductor sees to it that it
//     is called with all that was asked for, or not at all.
//   - With a thousand components the last ones of a stop that has run out of
//     time get a grace of milliseconds: time is divided, not made.
//
// # Testing
//
// fxtest.New(t, lifecycle.Module(), ...) inside testing/synctest: a stop that
// takes fifteen seconds passes in no time. Package lifecycletest puts faults
// into hooks, asserts on receipts, and stresses components.
package lifecycle
