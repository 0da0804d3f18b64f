package deadletter_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	l := letter(3)
	for _, tt := range []struct {
		name string
		give deadletter.Filter
		want bool
	}{
		{"Zero", deadletter.Filter{}, true},
		{"Component", deadletter.Filter{Component: "lane:sms"}, true},
		{"AnotherComponent", deadletter.Filter{Component: "lane"}, false},
		{"Key", deadletter.Filter{Key: "receiver-1"}, true},
		{"AnotherKey", deadletter.Filter{Key: "receiver-2"}, false},
		{"Reason", deadletter.Filter{Reason: journal.ReasonRetries}, true},
		{"AnotherReason", deadletter.Filter{Reason: journal.ReasonPoison}, false},
		{"SinceIsIncluded", deadletter.Filter{Since: l.Died}, true},
		{"BeforeSince", deadletter.Filter{Since: l.Died.Add(1)}, false},
		{"UntilIsNot", deadletter.Filter{Until: l.Died}, false},
		{"BeforeUntil", deadletter.Filter{Until: l.Died.Add(1)}, true},
		{"ID", deadletter.Filter{IDs: []string{"m-1", "m-3"}}, true},
		{"AnotherID", deadletter.Filter{IDs: []string{"m-1"}}, false},
		{"AllMustFit", deadletter.Filter{Key: "receiver-1", Reason: journal.ReasonPoison}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, tt.give.Match(&l))
			require.Equal(t, tt.name == "Zero", tt.give.IsZero())
			read, err := deadletter.ParseQuery(tt.give.Query())
			require.NoError(t, err)
			require.Equal(t, tt.give, read)
		})
	}

	t.Run("LimitTakesTheOldest", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 6)
		f := deadletter.Filter{Key: "receiver-0", Limit: 2}
		require.False(t, f.IsZero())
		require.Equal(t, []string{"m-2", "m-4"}, idsOf(all(t, f.Of(box.All(t.Context())))))
	})

	t.Run("EveryWrongValueOfAQueryIsReported", func(t *testing.T) {
		t.Parallel()
		_, err := deadletter.ParseQuery(url.Values{"since": {"yesterday"}, "until": {noon.Format(time.Kitchen)}, "limit": {"-1"}})
		require.ErrorContains(t, err, `since: is "yesterday"; give a time such as`)
		require.ErrorContains(t, err, `until: is "12:00PM"`)
		require.ErrorContains(t, err, `limit: is "-1"; give a number`)
	})
}
