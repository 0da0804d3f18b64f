package crashtest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

// runs is n, or as many more as a long run has.
func runs(n int) int {
	if os.Getenv("LONG_TESTS") == "" {
		return n
	}
	return n * 20
}

// program is the service under a configuration, in a directory of its own.
func program(t *testing.T, cfg string) (drill.Program, drill.Source) {
	t.Helper()
	dir := t.TempDir()
	return drill.Program{
		Path:      os.Args[0],
		Env:       []string{envDir + "=" + dir, envConfig + "=" + fmt.Sprintf(cfg, filepath.Join(dir, "journal")), envReceipt + "=" + receiptFile(dir), "GORACE=atexit_sleep_ms=0"},
		ReadyLine: "listening on ",
		Receipt:   receiptFile(dir),
	}, drill.Lines(filepath.Join(dir, "delivered"))
}

// offer posts to the lane or to the batcher.
func offer(door string) func(context.Context, *drill.Child, string) drill.Answer {
	return func(ctx context.Context, child *drill.Child, id string) drill.Answer {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+child.Line+"/"+door+"/"+id, http.NoBody)
		if err != nil {
			return drill.Refused
		}
		return drill.Send(nil, req)
	}
}

// TestDrill: 0 lost, whatever the moment. A kill leads to no more duplicates
// than the workers, or the batch, had in hand; a stop leads to none.
func TestDrill(t *testing.T) {
	for _, door := range []string{"lane", "batch"} {
		// With the items that a keeper may leave to be acknowledged.
		inHand := map[string]int{"lane": workers, "batch": batchSize}[door] + 8
		for _, sync := range []string{"process", "always"} {
			t.Run(door+","+sync, func(t *testing.T) {
				// Small segments: there is one more every few hundred items,
				// so some kills fall into a rotation or a cleaning up.
				p, delivered := program(t, "http: {addr: '127.0.0.1:0'}\n"+
					"journal: {dir: %q, segment_bytes: 64KiB, max_bytes: 64MiB, sync: "+sync+"}\n"+
					"lanes: {work: {journal: always}}\nbatchers: {work: {journal: always}}\n"+
					"log: {level: error}\nsink: {latency: 2ms}\n")
				report, err := drill.Run(t.Context(), drill.Config{
					Program: p,
					Load:    drill.Load{Offer: offer(door)},
					Outcome: drill.Outcome{Delivered: delivered},
					Kills: []drill.Kill{
						drill.Sigkill(runs(13)).AtMost(inHand),
						// Most of them while it opens its journals and replays.
						drill.SigkillInStart(runs(3)).Between(0, 60*time.Millisecond).AtMost(inHand),
						drill.SigkillInStop(runs(3)).AtMost(inHand),
						drill.Sigterm(runs(3)).AtMost(0),
						drill.SigtermTwice(runs(2)).AtMost(inHand),
					},
					Settle: drill.Settle{Quiet: 200 * time.Millisecond},
				})
				t.Log("\n" + report.String())
				require.NoError(t, err)
			})
		}
	}
}
