// Package app is the front door: an [fx.App] that is run, told to stop and
// exits as lastcall promises.
//
//	func main() {
//		app.Run(
//			modules.Default(),
//			httpmodule.Handle("POST /notify", newNotify),
//		)
//	}
//
// [Run] takes what fx.New takes. It differs from fx.New(...).Run() in this:
//
//   - the stop is conducted by package lifecycle: no hook is skipped, each has
//     its budget, backup hooks have their reserve;
//   - signals are a ladder: the first SIGINT or SIGTERM stops gracefully (or
//     cancels a start and rolls it back), the second cuts the waiting but
//     still calls every hook, the third exits at once (copies of one signal,
//     as timeout(1) and shells send them, count as one);
//   - the exit code tells how it went;
//   - a panic in a constructor is an error, and what was built before it is
//     destroyed.
//
// # Exit codes
//
//	0      stopped cleanly; saved work is clean
//	1      could not be built, or the start failed and was rolled back
//	3      stopped, but a hook failed, hung or panicked, or a component's
//	       failure was the cause of the stop
//	4      accepted work was lost
//	n      as fx.ExitCode(n) asked, whatever the hooks did
//	128+n  the third signal, n
//
// # Tests
//
// An application in a test is started and stopped with [App.Start] and
// [App.Stop], as an fx.App is; only [App.Run] listens to signals, which a
// testing/synctest bubble would not survive.
package app
