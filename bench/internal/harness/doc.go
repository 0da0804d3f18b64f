// Package harness measures several contestants at the same work, side by side.
//
// A [Row] is one piece of work and those who do it; the first [Contestant] is
// the baseline. [Measure] lets each do the work once, then each once more, and
// so on:
//
//	warm-up      round 1      round 2
//	A B C small  A B C        A B C        ...
//
// so that whatever else the machine does falls on all of them alike. What is
// reported is the median of the rounds. A ratio is the median of the ratios
// within a round, each value by that of the baseline a moment before; it may
// so differ a little from the ratio of the two medians that stand beside it.
// Times are those of this machine on this day; the ratios are what counts.
//
// # A row
//
//	harness.Row{
//		ID:    "a1",
//		Title: "Empty tasks, one submitter",
//		Work:  "one goroutine submits tasks that do nothing to 4 workers",
//		N:     500_000, ShortN: 500,
//		Contestants: []harness.Contestant{
//			{Name: "channel", Setup: "capacity 4096", Run: runChannel},
//			{Name: "lastcall", Setup: "queue 4096", Run: runPool},
//		},
//		Targets: []harness.Target{{Metric: harness.Wall, Limit: 0.5}},
//	}
//
// # A contestant
//
// Run does the work of Trial.N once. What it does before [Trial.Begin] and
// after [Trial.End] is not measured:
//
//	func runPool(t *harness.Trial) error {
//		p := open()
//		t.Begin()
//		for range t.N {
//			p.submit(count)
//		}
//		p.wait()
//		t.End(counted) // what was really done: a trial that is short of N fails
//		return p.close()
//	}
//
// Wall and CPU time, allocations and bytes per unit of work are taken between
// the two. Other values are given with [Trial.Set] at any time and named in
// Row.Columns; [Trial.Latencies] gives percentiles, [Footprint] the memory held
// at a moment. CPU time is that of the whole process, the runtime's own
// included.
//
// # A report
//
// [Report] writes the tables as Markdown, [Draw] a chart as SVG. What a
// [Target] judges is the number as it is printed: 0.504 meets 0.50.
package harness
