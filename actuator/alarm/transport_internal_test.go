package alarm

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type traced struct{ http.RoundTripper }

// It is not parallel: it changes what the whole of net/http has.
func TestTransportOfTheProgramIsTakenAsItIs(t *testing.T) { //nolint:paralleltest // see above
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()
	assert.NotSame(t, standard, transport())
	own := traced{standard}
	http.DefaultTransport = own
	hook, err := NewWebhook(WebhookConfig{Platform: Slack, URL: "https://hooks.example.com/x"})
	require.NoError(t, err)
	assert.Equal(t, own, hook.client.Transport)
}
