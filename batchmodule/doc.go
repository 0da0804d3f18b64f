// Package batchmodule puts batchers ([batch.Batcher]) into an Fx application:
// made from the graph, started and stopped with it, their leftovers saved.
//
//	fx.New(
//		batchmodule.Provide[Order]("orders", newOrderSink, batch.Config{MaxItems: 500},
//			batchmodule.SaveWith[Order](newOrderSaver)),
//		fx.Invoke(func(orders *batch.Batcher[Order]) { … }),
//	)
//
// A batcher's type is its name in the graph: whoever takes a
// *batch.Batcher[Order] gets it, no string is looked up. Like everything in
// Fx it is constructed when somebody asks for it.
//
// # Where a batcher's Config comes from
//
// Later rows win. A row gives the whole batch.Config of the batcher, not some
// of its fields; only the file, the environment and the flags are laid over
// what the rows above say, field by field.
//
//	Provide                    the value in the code                 batch.Config
//	YAML file                  section batchers, entry <name>        with the room modules
//	environment                LASTCALL_BATCHERS_<NAME>_…            with the room modules
//	flags                      --set batchers.<name>.…               with the room modules
//	fx.Supply                  in plain Fx, instead of those three   batchmodule.Config
//	fx.Replace, fx.Decorate    anywhere at the root                  batchmodule.Config
//
// A [Config] that names a batcher nobody has declared is an error at start.
// fx.Decorate needs a Config to decorate, from one of the rows above it;
// fx.Replace does not.
//
// # What is logged
//
// The counts of a ledger say that work failed, not which and why. Where the
// graph has a *zap.Logger, it hears of that:
//
//	panic of a sink or another function    Error, with its stack; Options(batch.WithPanicHandler(…)) instead
//	item that failed for good              Warn: id, key, reason, attempts, error; DeadLetterWith instead,
//	                                       or Options(batch.WithBurial(…))
//	dead letter that could not be written  Error: the same, and why
//	replay of an earlier life's items      Info when it begins, every 5 s, and when it has ended;
//	                                       Warn if not all have entered; Options(batch.WithReplay(…)) instead
//	flush that will be tried again         Debug: key, error, delay; Options(batch.WithRetrying(…)) instead
//
// The item itself is never logged, as it may hold personal data: its id finds it
// in the dead letters, and so does its label ([batch.WithLabel]). Those are
// logged, and so are the errors of sinks, with whatever they say.
//
// # What is shown
//
// With lifecycle.Module() each batcher has a [lifecycle.Panel] of kind "batcher":
// the Stats of the core, its numbers as metrics, and a health that says what to
// do where flushes fail or there is no room. The knobs max_items, linger,
// parallel and buffer can be turned while it runs (lifecycle.Conductor.Turn), as
// [batch.Batcher.Resize] does; everything else needs a restart. A closer look
// (Inspect) is the log of its last flushes, [batch.Batcher.Landed].
//
// # Journal and dead letters
//
// Where the graph has a journal.Opener, each batcher keeps its work in the
// journal "batch:<name>", as batch.Config.Journal says: onstop if nothing else is
// said, or off for a batcher with [SaveWith]. Where it has a
// *journal.DeadLetters, items that failed for good go there, unless
// [DeadLetterWith] takes them. The part Journal of the room modules provides
// both. How items are written down, and what they are known by, is said with
// [Options]:
//
//	batchmodule.Options(batch.WithCodec(codec), batch.WithID(orderID), batch.WithLabel(customer))
//
// A batcher with a journal takes nothing before its OnStart has opened it: add
// in an OnStart of your own, which runs later, not in a constructor.
//
// # Stopping
//
// With lifecycle.Module() the batcher's gate drains with all the others, its
// OnStop hands back what the time did not suffice for, and its PreDestroy gives
// that to the saver. In a bare fx.New or fxtest.New the OnStop does the same
// three on its own. Leftovers that were saved are no error; leftovers that
// nobody saves are, and so is a sink that hangs.
//
// Plain Fx gives up on a hook at the stop timeout without reserving time for
// what comes after it. There, a batcher with a saver should have a
// Config.StopBudget that is shorter than fx.StopTimeout: the difference is the
// time to save.
package batchmodule
