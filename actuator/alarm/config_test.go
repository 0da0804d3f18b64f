package alarm_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator/alarm"
)

func TestConfigReportsEveryWrongField(t *testing.T) {
	t.Parallel()
	err := alarm.Config{
		Every: time.Millisecond, FlushTimeout: -1, History: -1,
		Receivers: map[string]alarm.Receiver{"ops": {Timeout: -1, Attempts: -1, Queue: -1, Interval: -1}},
		Rules: []alarm.Rule{
			{},
			{Component: "pool:[", Alarm: "[a", Threshold: ptr(math.NaN()), Count: -1, Period: -1, Silence: -1, Receivers: []string{"ops", "pager"}},
			{Count: 10, Period: time.Nanosecond},
		},
	}.Validate()
	require.Error(t, err)
	for _, want := range []string{
		"every: is 1ms", "flush_timeout: -1ns is negative", "history: -1",
		"receivers.ops.type: it has no sink", "receivers.ops.timeout: is negative", "receivers.ops.attempts: ", "receivers.ops.queue: ", "receivers.ops.interval: ",
		`rules[1].component: "pool:[" is no pattern`, `rules[1].alarm: "[a" is no pattern`, "rules[1].threshold: NaN is no value",
		"rules[1].count: is -1", "rules[1].period: -1ns is negative", "rules[1].silence: -1ns is negative",
		`rules[1].receivers: there is no "pager"; there are ops`,
		"rules[2].period: is 1ns, in which there are no 10 evaluations",
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), 16)
	require.NoError(t, alarm.Config{}.Validate())
	huge := alarm.Config{Receivers: map[string]alarm.Receiver{"ops": {Sink: &inbox{}, Queue: 1 << 60}}}
	require.ErrorContains(t, huge.Validate(), "receivers.ops.queue: is 1152921504606846976; give at most 10000")
	_, err = alarm.New(nil, alarm.Config{})
	require.ErrorContains(t, err, "the conductor is nil")
}

func TestWebhookConfigReportsEveryWrongFieldAndNoSecret(t *testing.T) {
	t.Parallel()
	for want, give := range map[string]alarm.WebhookConfig{
		`type: "teams" is unknown`:     {Platform: "teams", URL: "https://x/hook-canary"},
		"url: is missing":              {Platform: alarm.Slack},
		"url: is no address":           {Platform: alarm.Slack, URL: "hooks-canary.example"},
		"url: is no address; ":         {Platform: alarm.Slack, URL: "https://%zz-canary"},
		"url: is no address; give all": {Platform: alarm.Slack, URL: "ftp://host/canary"},
		"method: \"GET\"":              {Platform: alarm.Plain, URL: "https://x/", Method: "GET"},
		"secret: slack has no":         {Platform: alarm.Slack, URL: "https://x/", Secret: "canary"},
		"headers: \"a b\" is no":       {Platform: alarm.Plain, URL: "https://x/", Headers: map[string]string{"a b": "canary"}},
		"headers: \"X-Key\" is no":     {Platform: alarm.Plain, URL: "https://x/", Headers: map[string]string{"X-Key": "canary\r\nX: y"}},
	} {
		_, err := alarm.NewWebhook(give)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "canary")
	}
	all := alarm.WebhookConfig{Platform: "x", Method: "GET"}.Validate()
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, all, &joined)
	assert.Len(t, joined.Unwrap(), 3)
}
