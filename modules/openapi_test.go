package modules_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/internal/openapitest"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// document is what the service says of its management server.
func (s *sample) document(t *testing.T) *openapitest.Document {
	t.Helper()
	status, body, err := get(t.Context(), s.srv, "/actuator/openapi.json")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, body)
	return openapitest.Parse(t, []byte(body))
}

// names are what the variables of paths can be.
func (s *sample) names() map[string][]string {
	names := map[string][]string{"requiredMetricName": {"lastcall_gate_inside", "lastcall_pool_wait_seconds"}, "name": {"ROOT", "liveness"}, "property": {"http.addr", "pools"}, "prefix": {"http"}}
	for _, c := range s.conductor.Components() {
		names["name"] = append(names["name"], c.Name)
		if c.Panel != nil && c.Panel.Kind != "" {
			names["kind"] = append(names["kind"], c.Panel.Kind+"s")
		}
	}
	return names
}

// TestEveryAnswerOfAServiceIsAsPromised asks a real management server for
// everything its OpenAPI document has, of each of our components.
func TestEveryAnswerOfAServiceIsAsPromised(t *testing.T) {
	t.Parallel()
	s := newSample(t, t.TempDir(), "management: {info: {team: sms}}", nil, nil).start(t)
	for _, item := range []string{"hold", "text", "fail"} {
		require.NoError(t, s.texts.Submit(t.Context(), item))
		require.NoError(t, s.notes.Add(t.Context(), item))
	}
	statuses := map[int]int{}
	round := func() {
		d := s.document(t)
		for _, path := range d.Gets(s.names()) {
			answer := s.exchange(t, http.MethodGet, path, "Accept", "application/json, text/plain;q=0.5, */*;q=0.1")
			assert.NoError(t, d.Check(http.MethodGet, path, answer.status, answer.header.Get("Content-Type"), answer.body), "%s: %d: %s", path, answer.status, answer.body)
			statuses[answer.status]++
		}
	}
	round()
	stopped := make(chan error, 1)
	go func() { stopped <- s.app.Stop(context.Background()) }()
	<-s.conductor.When(lifecycle.NotReady)
	round()
	close(s.held)
	require.NoError(t, <-stopped)
	t.Logf("answers by status: %v", statuses)
}
