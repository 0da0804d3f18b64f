// Package modules is the standard set: [Default] makes a service of
// configuration, logging, journals, HTTP server, pools, batchers and a
// management server, each of which can be left out or replaced.
//
//	app.Run(
//		modules.Default(),
//		poolmodule.Provide("sms", pool.Config{Workers: 8}),
//		httpmodule.Handle("POST /notify", newNotify),
//	)
//
// # The parts
//
//	part        section of the configuration   into the graph
//	Config      (all of them), reload          *config.Values
//	Logging     log                            *zap.Logger, zap.AtomicLevel
//	Stopping    lifecycle                      lifecycle.Config
//	Journal     journal                        journal.Opener, *journal.DeadLetters
//	HTTP        http                           the server, when there are routes
//	Pools       pools, lanes                   poolmodule.Config
//	Batchers    batchers                       batchmodule.Config
//	Management  management                     *actuator.Actuator, *management.Server
//	Alarms      alarms                         *alarm.Watch
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
// # The management server
//
// It serves package actuator on a port of its own, 127.0.0.1:9988, from before
// the first OnStart until after the last PreDestroy, and holds neither. Who may
// ask for what is said in package actuator/management; the short form is: this
// machine everything, others health, and with the token everything.
//
//	management: {address: 0.0.0.0:9988, token: …, hosts: [ops.internal]}
//	management: {address: "", socket: /run/service.sock}   no port
//	management: {enabled: false}
//	management: {dashboard: false}
//
// At "/" of that port is the page of package actuator/dashboard, whose address
// is logged at the start.
//
// A second service on the same machine finds the default taken: it warns and
// does without, as nobody has asked for that port. An address that is configured
// and cannot be had refuses the start. In a test binary there is no port unless
// one is configured (127.0.0.1:0; *management.Server knows which it is). A bare
// Fx application has no server, as nobody there knows the components.
//
// The component "journal" shows each journal of the directory with its health:
// down while work is refused, a warning for damage and for what nobody asks for.
// The component "deadletters" shows how many letters are in the box, and warns as
// long as there are any; its actions redrive and drop send letters back, or
// throw them away, and the management server lists them. Its endpoint /journal
// says of each journal what is pending, what it takes, what its component's work
// withstands, and how far a replay has come. No look makes the directory.
//
// # Alarms
//
// Package actuator/alarm watches what the panels of all components name as
// alarms, and tells the receiver "log" unless others are configured; then all of
// them. Receivers and rules are read at the start: a change of them needs a
// restart. What can be turned while running is the knob "muted" of the component
// "alarms".
//
//	alarms:
//	  receivers: {ops: {type: slack, url: …}}
//	  rules: [{component: "pool:*", alarm: capacity, threshold: 90, silence: 1h, receivers: [ops]}]
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
// Which parts are in, which are left out or have nothing to do, and what the
// program has its own way, says the endpoint /conditions of the management server.
//
// # Which value counts
//
// The later row wins, key by key down to the flags, whole values after them:
//
//	default in code   poolmodule.Provide("sms", pool.Config{Workers: 4}), Section's defaults
//	YAML file         pools: {sms: {workers: 6}}       (config.yaml, or --config FILE)
//	overrides file    the same, kept while running     (config.overrides.yaml beside it)
//	environment       LASTCALL_POOLS_SMS_WORKERS=8
//	flags             --set pools.sms.workers=10
//	override in code  fx.Decorate(func(poolmodule.Config) …), fx.Replace(poolmodule.Config{…})
//	while running     registry.Resize("sms", pool.Limits{…})
//
// fx.Decorate changes what the sources have made. fx.Replace puts its value in
// the place of all of them: a pool without an entry in it is as declared.
//
// # Reload
//
// The files of the configuration are watched while the application runs. What
// they come to is compared, key by key, with what was last good:
//
//	key of a hot knob (lifecycle.Knob.Key)   turned, by lifecycle.Conductor.Turn: all keys of one
//	                                         component together, all components or none
//	one that code stands over (fx.Replace)   not turned, and said so: code is stronger
//	any other                                needs a restart: logged, and shown until it is as it runs
//
// A knob that was turned by hand stays so until its own key changes. A key that
// is taken out falls back to what then counts. Files that are wrong, in what they
// say or to a component, change nothing: the health of the component "config"
// warns with every key, file and line until they are mended. It also shows the
// last reloads (inspect), and each is an event of the kind [EventConfig].
//
// A change with Persist is kept in the overrides file; one that a stronger source
// would hide is refused. /actuator/env shows each key in each source and above
// them what was turned by hand, /actuator/configprops each section. A secret is
// in none of these, nor is the value of a key that sounds like one, unless
// management.show names it.
//
//	reload: {enabled: false}         nobody watches; changes can be kept all the same
//	reload: {debounce: 50ms, poll: 10s}
//
// A bare Fx application does not reload: there is no door to knobs. In a test
// binary nobody watches unless reload.enabled is configured.
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
