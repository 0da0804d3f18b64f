package drill_test

import (
	"os/exec"
	"testing"

	"github.com/lastcall-go/lastcall/drill"
)

// BenchmarkLife is what a life costs whose program does nothing, beside what
// the operating system takes to start and kill it.
func BenchmarkLife(b *testing.B) {
	const path = "/bin/sleep"
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			cmd := exec.CommandContext(b.Context(), path, "600")
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // killed
		}
	})
	b.Run("drill", func(b *testing.B) {
		report, _ := drill.Run(b.Context(), drill.Config{ // it says that nothing was accepted
			Program: drill.Program{Path: path, Args: []string{"600"}},
			Load:    drill.Load{Offer: refuse, Generators: 1},
			Outcome: drill.Outcome{Delivered: drill.Lines("nothing")},
			Kills:   []drill.Kill{drill.Sigkill(b.N).Between(0, 0)},
			Settle:  drill.Settle{Quiet: 1},
		})
		if report.Kinds[0].Exits[0].Code != 137 {
			b.Fatal(report)
		}
	})
}
