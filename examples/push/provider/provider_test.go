package provider_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/examples/push/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, b provider.Behaviour) (*provider.Server, *provider.Client) {
	t.Helper()
	p := provider.New(b)
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	c := provider.NewClient(server.URL, 1)
	t.Cleanup(c.Close)
	return p, c
}

func call(ids ...string) provider.Call {
	c := provider.Call{Channel: "sms"}
	for _, id := range ids {
		c.Messages = append(c.Messages, provider.Message{ID: id, To: "u-" + id, Text: "hello"})
	}
	return c
}

func TestProvider(t *testing.T) {
	t.Parallel()

	t.Run("DeliversAMessageOnce", func(t *testing.T) {
		t.Parallel()
		p, c := start(t, provider.Behaviour{Deduplicate: true})
		for _, again := range []struct {
			key  string
			call provider.Call
		}{
			{"k", call("1", "2")},
			{"k", call("1", "2")},     // the same call
			{"l", call("2", "3")},     // put together differently
			{"m", call("3", "1")},     // with nothing new
			{"", call("1", "2", "3")}, // without a key
		} {
			results, err := c.Send(t.Context(), again.key, again.call)
			require.NoError(t, err)
			assert.Len(t, results, len(again.call.Messages))
		}
		sum, err := c.Sum(t.Context())
		require.NoError(t, err)
		assert.Equal(t, provider.Sum{Calls: 5, Repeated: 8, Delivered: 3}, sum)
		assert.Equal(t, map[string]int{"hello": 1}, p.Received("u-1"))
	})

	t.Run("CountsWhatComesTwice", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, provider.Behaviour{})
		for range 3 {
			_, err := c.Send(t.Context(), "k", call("1"))
			require.NoError(t, err)
		}
		sum, err := c.Sum(t.Context())
		require.NoError(t, err)
		assert.Equal(t, provider.Sum{Calls: 3, Delivered: 1, Duplicates: 2}, sum)
		texts, err := c.Received(t.Context(), "u-1")
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"hello": 3}, texts)
	})

	t.Run("RefusesReceiversThatAreGone", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, provider.Behaviour{Deduplicate: true})
		one := provider.Call{Messages: []provider.Message{{ID: "1", To: provider.Gone + "1"}, {ID: "2", To: "u"}}}
		for range 2 { // a call with a refusal is looked at again
			results, err := c.Send(t.Context(), "k", one)
			require.NoError(t, err)
			assert.Equal(t, []provider.Result{{ID: "1", Refused: "unknown receiver"}, {ID: "2"}}, results)
		}
		sum, err := c.Sum(t.Context())
		require.NoError(t, err)
		assert.Equal(t, provider.Sum{Calls: 2, Repeated: 1, Refused: 2, Delivered: 1}, sum)
	})

	t.Run("IsDownAndComesBack", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, provider.Behaviour{Deduplicate: true})
		require.NoError(t, c.Behave(t.Context(), provider.Behaviour{Outage: true, Deduplicate: true}))
		_, err := c.Send(t.Context(), "k", call("1"))
		require.ErrorContains(t, err, "503")
		require.NotErrorIs(t, err, provider.ErrRefused)
		require.NoError(t, c.Behave(t.Context(), provider.Behaviour{Latency: time.Millisecond, Deduplicate: true}))
		_, err = c.Send(t.Context(), "k", call("1"))
		require.NoError(t, err)
		sum, err := c.Sum(t.Context())
		require.NoError(t, err)
		assert.Equal(t, provider.Sum{Calls: 2, Failed: 1, Delivered: 1}, sum)
	})

	t.Run("SomeAnswersAreLost", func(t *testing.T) {
		t.Parallel()
		p, c := start(t, provider.Behaviour{ErrorRate: 1, Deduplicate: true})
		for p.Sum().Delivered == 0 { // of every second call, at random
			_, err := c.Send(t.Context(), "", call("1"))
			require.ErrorContains(t, err, "503")
		}
	})

	t.Run("SaysWhatItDoesNotUnderstand", func(t *testing.T) {
		t.Parallel()
		p := provider.New(provider.Behaviour{})
		for _, query := range []string{"outage=perhaps", "latency=7", "errors=many", "speed=high"} {
			w := httptest.NewRecorder()
			p.ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/behaviour?"+query, http.NoBody))
			assert.Equal(t, http.StatusBadRequest, w.Code, query)
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/send", http.NoBody))
		assert.Equal(t, http.StatusBadRequest, w.Code)
	})
}
