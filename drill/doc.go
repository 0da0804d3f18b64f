// Package drill kills a program under load, again and again, and counts what
// became of the work it had accepted. It needs nothing of the program but a
// way to offer work and a way to read what arrived: the program may be written
// with lastcall, with another framework or in another language.
//
//	report, err := drill.Run(ctx, drill.Config{
//		Program: drill.Program{Path: "./sms", ReadyURL: "http://localhost:8080/readyz"},
//		Load: drill.Load{Offer: func(ctx context.Context, _ *drill.Child, id string) drill.Answer {
//			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost:8080/sms?to="+id, nil)
//			return drill.Send(nil, req)
//		}},
//		Outcome: drill.Outcome{Delivered: drill.Lines("delivered.txt")},
//		Kills:   []drill.Kill{drill.Sigkill(100), drill.Sigterm(20).AtMost(0)},
//	})
//	fmt.Println(report) // the table, whatever came out
//	if err != nil {     // work was lost, delivered too often, the program hung …
//
// # A drill
//
//	for each kill  exec ─▶ ready ─▶ load ─▶ signals, at random moments ─▶ gone ─▶ look at the sink ─▶ pause
//	at the end     exec ─▶ ready ─▶ work off what is left ─▶ SIGTERM ─▶ gone ─▶ look at the sink ─▶ judge
//
// Each line of it is a [Life].
//
// The order of the kills and their moments are drawn from a seed, which the
// report shows: with the same seed the plan is the same. What the program is
// doing at those moments is not, so a drill finds by number what it cannot
// find by aim.
//
// The ready-made kills, each a plain [Kill] that can be changed:
//
//	Sigkill         no warning
//	Sigterm         one asks, and waits
//	SigtermTwice    one asks again
//	SigkillInStop   one asks, and does not wait until it is over
//	SigkillInStart  it dies while it starts and replays
//
// A few kills on a slow machine may all come before anything was accepted, and
// prove nothing ([ErrNoWork]): [Kill.Under] has them wait for that.
//
// # Load
//
// Generators call [Load].Offer beside each other from the moment the program
// is ready until its process is gone, so also while it stops. Each call offers
// one piece of work under an id of the drill's, which must reach the sink, and
// says what the program answered:
//
//	Accepted  the program promised to do it: it must not be lost
//	Refused   the program promised that it will not do it
//	Unknown   nobody can tell: the connection broke before the answer came.
//	          It may be delivered or not; both are right, and counted.
//
// [Send] tells them apart for HTTP.
//
// # What is counted
//
// After the last life the program is started once more, without load, left to
// work off what it kept, and stopped. Then each accepted id is in exactly one
// column:
//
//	accepted = delivered + failed + saved + lost
//
// Duplicated counts each delivery of an id beyond its first. A duplicate is put
// down to the kill that ended the life of the delivery before it, because that
// kill took the memory of it; [Kill].MaxDuplicates bounds them. What came twice
// within one life no kill explains: it is held to the strictest of those
// bounds. Lost work is put down to the life that accepted it. Restart times,
// from exec to ready, stand with the kill they follow.
//
// If the program writes lastcall's receipt, [Program].Receipt names it: after
// each stop the drill reads it, notes whether its ledger balances, and holds it
// to what the load saw accepted.
//
// # What is an error
//
// Everything that should not happen, each matching one of the sentinels:
// [ErrLost], [ErrDuplicated], [ErrRefusedDelivered], [ErrDied], [ErrExit],
// [ErrHung], [ErrNotReady], [ErrReceipt], [ErrUnsettled], [ErrNoWork]. None of
// them ends the drill, except that a program which fails to start three times
// running is given up. An error of one life shows the last lines the program
// wrote.
//
// # What a drill does not find
//
// A signal ends a process, not the machine: what the program has written is
// safe with the kernel, synced or not. A drill says nothing of a loss of
// power. And what it did not hit it has not seen: zero lost in 1,000 kills is
// zero in 1,000, not never.
//
// # The child
//
// Signals go to the process itself, as an orchestrator sends them. When it is
// gone what is left of its process group is killed: nothing that it started
// stays, but what has moved to a group of its own (setsid). The end of the
// context kills it, and on Linux so does the end of the drill's own process. A
// drill needs SIGTERM: the package builds on Windows, but a drill does not come
// to its end there.
//
// [Start] gives such a child to a test that kills at a moment of its own choice.
//
// # Concurrency and size
//
// Run uses the goroutine of the caller and ends every other before it returns.
// The functions of the user are called from several: Offer by the generators,
// the others one at a time. Every id offered is remembered, in 12 bytes. A
// thousand kills take as long as a thousand starts, moments and stops of the
// program; what the drill adds cannot be told from the cost of a bare start and
// kill (BenchmarkLife).
package drill
