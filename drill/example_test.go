package drill_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/drill"
)

// A service that listens on a port of its choice, says so in a line, takes
// work over HTTP and delivers it to a file.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "drill")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	report, err := drill.Run(context.Background(), drill.Config{
		Program: drill.Program{
			Path:      os.Args[0],
			Env:       []string{programVar + "=honest", dirVar + "=" + dir, "GORACE=atexit_sleep_ms=0"},
			ReadyLine: "listening on ",
		},
		Load: drill.Load{
			Offer: func(ctx context.Context, child *drill.Child, id string) drill.Answer {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+child.Line+"/?id="+id, http.NoBody)
				if err != nil {
					return drill.Refused
				}
				return drill.Send(nil, req)
			},
			Pause: time.Millisecond,
		},
		Outcome: drill.Outcome{Delivered: drill.Lines(filepath.Join(dir, "delivered"))},
		Kills: []drill.Kill{
			drill.Sigkill(3).AtMost(workers).Under(1).Between(5*time.Millisecond, 50*time.Millisecond),
			drill.Sigterm(2).AtMost(0).Under(1).Between(5*time.Millisecond, 50*time.Millisecond),
		},
		Settle: drill.Settle{Quiet: 100 * time.Millisecond},
	})
	if err != nil {
		fmt.Println(report) // the table, and what is wrong
		return
	}
	fmt.Println("runs:", report.Total.Runs, "lost:", report.Total.Lost)
	// Output: runs: 6 lost: 0
}

// A test that kills a program at a moment of its own.
func ExampleStart() {
	dir, err := os.MkdirTemp("", "drill")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	child, err := drill.Start(context.Background(), drill.Program{
		Path:      os.Args[0],
		Env:       []string{programVar + "=honest", dirVar + "=" + dir, "GORACE=atexit_sleep_ms=0"},
		ReadyLine: "listening on ",
	})
	if err != nil {
		fmt.Println(err) // with what it wrote last
		return
	}
	// Speak to it at child.Line, look at what it does, and when it is in the middle:
	if err := child.Signal(syscall.SIGKILL); err != nil {
		fmt.Println(err)
	}
	fmt.Println("exit code", child.Wait())
	// Output: exit code 137
}

// A sink whose ids are in memory, or in a table: leave out what was read
// before.
func ExampleSource() {
	arrived := []string{"a", "b", "b"}
	var source drill.Source = func(_ context.Context, after int) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, id := range arrived[after:] {
				if !yield(id, nil) {
					return
				}
			}
		}
	}
	for id, err := range source(context.Background(), 1) {
		fmt.Println(id, err)
	}
	// Output:
	// b <nil>
	// b <nil>
}

// The third signal of a person who has no patience at all.
func ExampleKill() {
	k := drill.SigtermTwice(10).Between(0, time.Second)
	k.Name = "SIGTERM three times"
	k.Steps = append(k.Steps, k.Steps[1])
	fmt.Println(k.Name)
	for _, s := range k.Steps {
		fmt.Println(s.Signal, s.From, s.To)
	}
	// Output:
	// SIGTERM three times
	// terminated 0s 1s
	// terminated 0s 20ms
	// terminated 0s 20ms
}
