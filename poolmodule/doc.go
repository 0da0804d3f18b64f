// Package poolmodule brings pools and lanes into an Fx application: named,
// configurable from outside, and stopped in the right order.
//
//	fx.New(
//		poolmodule.Provide("sms", pool.Config{Workers: 8, Queue: 4096}),
//		poolmodule.Lane[SMS]("sms-out", "sms", newSender), // func(*Client) pool.Handler[SMS]
//		fx.Invoke(func(lane *pool.Lane[SMS]) { … }),
//	)
//
// A pool is provided as *pool.Pool with the name tag `name:"sms"`; a lane as
// *pool.Lane[T], where the type is its name. Both are built when somebody asks
// for them, as everything in Fx. They work in a bare [fx.New] and in
// fxtest.New; with lifecycle.Module() their gates are drained by the conductor
// and appear in its receipt as "pool:sms" and "lane:sms-out".
//
// # Whose configuration counts
//
// From weak to strong. Each line replaces what the lines above say: the
// sections of files, of the environment and of flags key by key, the others
// the whole entry of a pool or lane.
//
//	where                                        who reads it
//	Provide(name, cfg), Configure(cfg)           this package
//	YAML file: pools.sms.workers: 8              the modules room, if it is there
//	environment: LASTCALL_POOLS_SMS_WORKERS=8    the modules room
//	flag: --set pools.sms.workers=8              the modules room
//	fx.Supply(Config{…})                         Fx; stands for the three above where modules is not there
//	fx.Replace(Config{…}), fx.Decorate(…)        Fx
//	Resize while running                         the pool
//
// A name in [Config] that nobody declared is an error that names those that
// are. fx.Decorate needs a Config to decorate: modules provides one, and so
// does [Module]. fx.Replace needs none.
//
// # At the stop
//
// Lanes stop before their pool, since they are built on it. What a lane could
// not finish is written down in its journal, or goes to the function given with
// [SaveWith]; closures that never ran go to the one given with [SaveTasks].
// Without one they are lost, and the error of the PreDestroy hook says how many,
// and of closures which: "pool mail: 3 tasks lost: main.newFeed.func1 ×2,
// main.tick ×1: …". A closure cannot be written down, so a pool without
// SaveTasks says at its start what a stop will cost: at Info, or at Debug if it
// has a lane, beside which it may never be given one. What a function given with
// [ResultWith] hands on with the context it gets is taken by the next component
// while that drains.
//
// # The journal
//
// Where the graph has a [journal.Opener], every lane has a journal and is
// started with the application: what an earlier life has left is replayed
// before new work comes in. Where it has a [*journal.DeadLetters], what failed
// for good goes there. The modules room provides both; with plain Fx,
//
//	fx.Provide(fx.Annotate(openStore, fx.As(new(journal.Opener)))), // filejournal.Open
//	fx.Provide(journal.NewDeadLetters),
//
// and the lane's configuration says how much of it there is to be:
//
//	lanes:
//	  sms-out:
//	    journal: always      # onstop, where nothing is said; off with SaveWith
//	    dead_letters: keep   # off
//	    max_age: 1h
//
// How an item is written down, and by which ID and label it is found again, is
// code ([LaneOptions]):
//
//	poolmodule.Lane[SMS]("sms-out", "sms", newSender, poolmodule.LaneOptions(
//		pool.WithID(SMS.Number),
//		pool.WithLabel(SMS.Receiver),
//	))
//
// # What is shown
//
// With lifecycle.Module() each pool and lane has a [lifecycle.Panel], of kind
// "pool" or "lane": the Stats of the core, its numbers as metrics, and a health
// that says what to do where work is kept out. A closer look at a pool lists the
// tasks that run, and the stacks at which they stand. Tasks are not timed for
// that: for how long one runs is known from the first look on.
//
// The knobs workers, min_workers and queue of a pool can be turned while it runs
// (lifecycle.Conductor.Turn), together or not at all; everything else needs a
// restart.
//
// # What is logged
//
// The counts of a ledger say that work failed, not which and why. Where the
// graph has a *zap.Logger, it hears of that:
//
//	panic of a task, handler or hook    Error, with its stack; With(pool.WithPanicHandler(…)) instead
//	lane item that failed for good      Warn: lane, key, attempts, error; ResultWith instead
//	dead letter                         Warn: lane, id, key, reason, attempts, error; ResultWith instead
//	dead letter that is not taken       Error: the same, and why
//	replay                              Info: how many items, and how far it is; Warn if it ends early
//	work that a policy threw away       Debug: lane, key; With(pool.WithDiscardHandler(…)) instead
//	pool without SaveTasks              Info, at its start; Debug if it has a lane
//
// Items are never logged, as they may hold what is not for a log; their keys
// are, and so are the errors of handlers.
//
// # In tests
//
//	app := fxtest.New(t,
//		poolmodule.Provide("sms", pool.Config{Workers: 8}),
//		fx.Replace(poolmodule.Config{Pools: map[string]pool.Config{"sms": {Workers: 1}}}),
//		…
//	)
package poolmodule
