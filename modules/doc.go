// Package modules is the standard set: [Default] makes a service of
// configuration, logging, journals, HTTP server, pools and batchers, each of
// which can be left out or replaced.
//
//	app.Run(
//		modules.Default(),
//		poolmodule.Provide("sms", pool.Config{Workers: 8}),
//		httpmodule.Handle("POST /notify", newNotify),
//	)
//
// # The parts
//
//	part      section of the configuration   into the graph
//	Config    (all of them)                  *config.Values
//	Logging   log                            *zap.Logger, zap.AtomicLevel
//	Stopping  lifecycle                      lifecycle.Config
//	Journal   journal                        journal.Opener, *journal.DeadLetters
//	HTTP      http                           the server, when there are routes
//	Pools     pools, lanes                   poolmodule.Config
//	Batchers  batchers                       batchmodule.Config
//
// # Journals
//
// Lanes and batchers write their work down in the directory journal.dir
// ("journal"), which is made when the first of them starts, and held by one
// process. In a test binary, where none is configured, it is a temporary one.
// Another store takes its place as any value does:
//
//	fx.Replace(fx.Annotate(mine, fx.As(new(journal.Opener))))
//
// # Leaving out and replacing
//
// [Without] leaves parts out; without Config every other part has its defaults
// and what is declared in code. A value is replaced as everywhere in Fx, by
// fx.Replace or fx.Decorate of its type:
//
//	app.Run(
//		modules.Default(modules.Without(modules.Batchers)),
//		fx.Replace(server.Config{Addr: "127.0.0.1:0"}),
//	)
//
// # Which value counts
//
// The later row wins, key by key down to the flags, whole values after them:
//
//	default in code   poolmodule.Provide("sms", pool.Config{Workers: 4}), Section's defaults
//	YAML file         pools: {sms: {workers: 6}}       (config.yaml, or --config FILE)
//	environment       LASTCALL_POOLS_SMS_WORKERS=8
//	flags             --set pools.sms.workers=10
//	override in code  fx.Decorate(func(poolmodule.Config) …), fx.Replace(poolmodule.Config{…})
//	while running     registry.Resize("sms", pool.Limits{…})
//
// fx.Decorate changes what the sources have made. fx.Replace puts its value in
// the place of all of them: a pool without an entry in it is as declared.
//
// # Asking instead of starting
//
// A program made with Config and run by app.Run understands --print-config
// (every value as the sources make it, and where it comes from; overrides in
// code are not in it), --print-graph (the dependency graph and the order of
// the stop) and --help. Constructors run, nothing starts. A bare Fx application
// refuses these flags.
//
// # Testing
//
// The arguments of a test binary are never read. A test that wants no file and
// no environment either says so:
//
//	modules.Sources(config.Options{})
package modules
