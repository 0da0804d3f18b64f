package main

import "github.com/lastcall-go/lastcall/bench/internal/harness"

// charts are the drawings of the report.
var charts = []chart{
	{"submit.svg", harness.Chart{
		Title: "Time per empty task, 4 workers (shorter is better)",
		Panels: []harness.Panel{
			{Heading: "1 submitter", Row: "a1", Metric: harness.Wall},
			{Heading: "16 submitters", Row: "a16", Metric: harness.Wall},
			{Heading: "256 submitters", Row: "a256", Metric: harness.Wall},
		},
	}},
	{"deadline.svg", harness.Chart{
		Title: "200 tasks of 10 ms, 4 workers, 100 ms to stop: what became of them",
		Panels: []harness.Panel{
			{Heading: "done in time", Row: "o2", Metric: doneInTime, Absolute: true},
			{Heading: "not done, and known", Row: "o2", Metric: told, Absolute: true},
			{Heading: "unaccounted (shorter is better)", Row: "o2", Metric: unaccounted, Absolute: true},
		},
	}},
	{"batch.svg", harness.Chart{
		Title: "Time per item of a batch of 1,000 (shorter is better)",
		Panels: []harness.Panel{
			{Heading: "1 producer", Row: "h1", Metric: harness.Wall},
			{Heading: "16 producers", Row: "h16", Metric: harness.Wall},
		},
	}},
}
