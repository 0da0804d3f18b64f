// Package lifecycletest helps to test how a service starts and stops: it puts
// faults into hooks, reads receipts, and stresses components.
//
// # Faults
//
// A fault is an fx.Option, given to the application under test beside its
// own. It stands around one hook of one component, by the names that receipts
// use:
//
//	var conductor *lifecycle.Conductor
//	app := fxtest.New(t,
//		lifecycle.Module(),
//		service,
//		lifecycletest.Hang(t, "database", lifecycle.PhaseStop),
//		fx.Populate(&conductor),
//	)
//	app.RequireStart()
//	require.Error(t, app.Stop(ctx))
//
// [Hang], [Panic], [Fail] and [Delay] need [lifecycle.Module]; app.New has it.
// A fault that met no hook fails the test when it ends: most often the name is
// misspelt.
//
// # Receipts
//
//	receipt := conductor.Receipt()
//	lifecycletest.AssertStopOrder(t, receipt, "http:public", "pool:sms", "database")
//	lifecycletest.AssertBalanced(t, receipt)
//	lifecycletest.AssertNoLeaks(t, receipt)
//	lifecycletest.AssertClean(t, receipt)
//
// The asserts report with t.Errorf, print the receipt, and return whether they
// hold.
//
// # Panels
//
// [AssertPanel] asserts that what a component shows of itself can be read, and
// written out as metrics:
//
//	c, _ := conductor.Component("pool:sms")
//	lifecycletest.AssertPanel(t, c)
//
// # Time
//
// Put the whole test into testing/synctest: a stop that takes its fifteen
// seconds then passes in no time. Faults and asserts may be used there.
//
// # Stress
//
// [Stress] starts and stops any component from many goroutines at once and
// fails on a panic, a deadlock, or a goroutine that is left.
package lifecycletest
