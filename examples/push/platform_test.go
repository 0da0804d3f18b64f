package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/examples/push/provider"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
)

func TestPlatform(t *testing.T) {
	t.Parallel()

	t.Run("EveryRowComesToItsEnd", func(t *testing.T) {
		t.Parallel()
		p := newBench(t, 1000, provider.Behaviour{})
		var conductor *lifecycle.Conductor
		a := p.start(t, fx.Populate(&conductor))
		assert.Equal(t, p.expected, p.settle(t))
		a.RequireStop()

		receipt := conductor.Receipt()
		lifecycletest.AssertClean(t, receipt)
		lifecycletest.AssertBalanced(t, receipt)
		lifecycletest.AssertStopOrder(t, receipt, "source", "batch:rows", "lane:sms-code", "pool:sms-code", "records", "journal")
		assert.Equal(t, p.expected.Delivered, p.provider.Sum().Delivered)
		assert.Zero(t, p.twice())
	})

	t.Run("ProviderThatIsDownIsWaitedFor", func(t *testing.T) {
		t.Parallel()
		p := newBench(t, 300, provider.Behaviour{Outage: true})
		a := p.start(t)
		assert.Eventually(t, func() bool { return p.provider.Sum().Failed > 50 }, time.Minute, tick)
		p.provider.Behave(provider.Behaviour{Deduplicate: true})
		assert.Equal(t, p.expected, p.settle(t), "nothing has failed of it")
		a.RequireStop()
	})

	t.Run("ChannelThatIsDownHoldsUpNoOther", func(t *testing.T) {
		t.Parallel()
		p := newBench(t, 1000, provider.Behaviour{Outage: true, Channel: "sms"})
		a := p.start(t)
		// All is over but what is in the lanes of that channel.
		assert.Eventually(t, func() bool {
			waiting := p.waiting(t)
			return len(waiting) == 3 && waiting["sms-code"]+waiting["sms-notice"]+waiting["sms-marketing"] == p.unfinished(t)
		}, time.Minute, tick)
		p.provider.Behave(provider.Behaviour{Deduplicate: true})
		assert.Equal(t, p.expected, p.settle(t))
		a.RequireStop()
	})

	t.Run("AnswerThatIsLostMakesNoDuplicate", func(t *testing.T) {
		t.Parallel()
		p := newBench(t, 300, provider.Behaviour{ErrorRate: 0.3})
		a := p.start(t)
		assert.Equal(t, p.expected, p.settle(t))
		a.RequireStop()
		assert.Equal(t, p.expected.Delivered, p.provider.Sum().Delivered)
		assert.Positive(t, p.provider.Sum().Repeated)
		assert.Zero(t, p.twice())
	})

	t.Run("NewInputUnderTheOldNameIsRead", func(t *testing.T) {
		t.Parallel()
		p := newBench(t, 300, provider.Behaviour{})
		a := p.start(t)
		p.settle(t)
		a.RequireStop()
		for _, rows := range []string{"zoe,sms,code,login,1234\n", "yan,sms,code,login,1234\nzoe,sms,code,login,1234\n"} {
			require.NoError(t, os.WriteFile(p.Input, []byte(heading+rows), 0o600))
			p.rows += strings.Count(rows, "\n")
			p.expected.Delivered++
			a = p.start(t)
			p.settle(t)
			a.RequireStop()
		}
		p.expected.Filtered++ // zoe has had it
		sum, err := newTally(p.Settings).Sum()
		require.NoError(t, err)
		assert.Equal(t, p.expected, sum)
		assert.Zero(t, p.twice())
	})

	t.Run("SecondLifeFindsNothingToDo", func(t *testing.T) {
		t.Parallel()
		p := newBench(t, 300, provider.Behaviour{})
		for range 2 {
			a := p.start(t)
			assert.Equal(t, p.expected, p.settle(t))
			a.RequireStop()
		}
		assert.Zero(t, p.provider.Sum().Repeated)
	})
}

// TestWhere: what a person is told who asks for his message.
func TestWhere(t *testing.T) {
	t.Parallel()
	p := newBench(t, 0, provider.Behaviour{})
	rows := strings.Join([]string{
		"receiver,channel,type,template,shop,percent,day,code",
		"ada,sms,code,login,,,,1234",
		"ada,sms,code,login,,,,1234",
		"ada,email,marketing,sale,Shop,20,June 3,",
		"gone-bob,voice,notice,parcel,Shop,,June 3,",
		"eve,pigeon,code,login,,,,1234",
		"eve,sms,code,login,,,,",
	}, "\n")
	require.NoError(t, os.WriteFile(p.Input, []byte(rows), 0o600))
	require.NoError(t, os.WriteFile(p.Unsubscribed, []byte("ada\n"), 0o600))
	p.rows = 6
	var box *journal.DeadLetters
	a := p.start(t, fx.Populate(&box))
	assert.Equal(t, Sum{Delivered: 1, Failed: 1, Filtered: 2, Bad: 2}, p.settle(t))

	for receiver, want := range map[string]string{
		"ada": `ada, row rows.csv:1
  accepted
  batched, task TASK
  in lane sms-code
  delivered
ada, row rows.csv:2
  accepted
  filtered: has the same text by row rows.csv:1
ada, row rows.csv:3
  accepted
  filtered: has unsubscribed
`,
		"gone-bob": `gone-bob, row rows.csv:4
  accepted
  batched, task TASK
  in lane voice-notice
  failed: unknown receiver
`,
		"eve": `eve, row rows.csv:5
  bad: channel "pigeon" is unknown
eve, row rows.csv:6
  bad: template: login:1:15: executing "login" at <.code>: map has no entry for key "code"
`,
	} {
		var out bytes.Buffer
		require.NoError(t, where(&out, p.Settings, receiver))
		text := regexp.MustCompile(`(?m)^  .{19}  `).ReplaceAllString(out.String(), "  ")
		text = regexp.MustCompile(`csv-[0-9a-f]{8}:`).ReplaceAllString(text, "csv:")
		text = regexp.MustCompile(`task \w+`).ReplaceAllString(text, "task TASK")
		assert.Equal(t, want, text)
	}
	require.ErrorContains(t, where(&bytes.Buffer{}, p.Settings, "nobody"), "nothing is recorded of nobody")

	letters := 0
	for letter, err := range box.All(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, "gone-bob", letter.Key)
		assert.Equal(t, "lane:voice-notice", letter.Component)
		assert.Equal(t, "unknown receiver", letter.Last)
		letters++
	}
	assert.Equal(t, 1, letters)
	a.RequireStop()
}
