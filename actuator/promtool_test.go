package actuator_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/internal/program"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// TestPromtoolHasNothingToSay asks Prometheus' own tool. It reads the text
// format alone; OpenMetrics is put before a real Prometheus in package modules.
func TestPromtoolHasNothingToSay(t *testing.T) {
	promtool := program.Find(t, "promtool", "prometheus")
	check := func(text string) (string, error) {
		cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(text)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		err := cmd.Run()
		return said.String(), err
	}

	t.Run("OfOneComponent", func(t *testing.T) {
		said, err := check(scrape(t, running(t, actuator.Config{}, bar("bar:a")), ""))
		require.NoError(t, err, said)
		assert.Empty(t, said)
	})
	t.Run("OfManyComponents", func(t *testing.T) {
		text := scrape(t, running(t, actuator.Config{MetricPrefix: "sms"}, crowd(1000)...), "")
		assert.Equal(t, 1000, strings.Count(text, "\nsms_gate_inside{"))
		said, err := check(text)
		require.NoError(t, err, said)
		assert.Empty(t, said)
	})
	t.Run("OfAPanelThatKnowsNoManners", func(t *testing.T) {
		text := scrape(t, running(t, actuator.Config{}, unmannered()), "")
		assert.Contains(t, text, "\nlastcall_odd_one___guests{")
		said, err := check(text)
		require.NoError(t, err, said)
		assert.Empty(t, said)
	})
	t.Run("ButToWhatIsWrong", func(t *testing.T) {
		said, err := check("# TYPE lastcall_x counter\nlastcall_x 1\n")
		require.Error(t, err)
		assert.Contains(t, said, "_total")
	})
}

// crowd are components of several kinds, each with a gate and metrics.
func crowd(n int) []lifecycle.Hook {
	hooks := make([]lifecycle.Hook, n)
	for i := range hooks {
		h := bar(fmt.Sprintf("bar:%d", i))
		h.Gate, h.OnStart = intake.New(h.Name), nil
		h.Panel.Kind = fmt.Sprintf("bar-%d", i%7)
		hooks[i] = h
	}
	return hooks
}

// unmannered is a component whose names and texts are as wild as they may be.
func unmannered() lifecycle.Hook {
	return lifecycle.Hook{Name: "odd \"one\"\\\n", Gate: intake.New("gate\n\"}"), Panel: &lifecycle.Panel{
		Kind: "Odd OneÉ-", Metrics: func() []lifecycle.Metric {
			return []lifecycle.Metric{
				{Name: "guests", Help: "two\nlines \\ and \"quotes\"", Value: 1, Labels: map[string]string{"table": "\"}\n\\ \x00 é"}},
				{Name: "tips_total", Type: lifecycle.Counter, Value: 1},
				{Name: "wait_seconds", Type: lifecycle.Distribution, Count: 1, Sum: 1e-9, Buckets: map[float64]uint64{}},
			}
		},
	}}
}
