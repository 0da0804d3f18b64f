package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/lastcall-go/lastcall/config"
)

func TestProblemsRepeatNothingOfASecret(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"http: {token: *hunter2}", "http: {token: !hunter2 x}", "http: {token: !!int [hunter2]}", "http: {token: @hunter2}"} {
		_, _, all := sections()
		_, err := config.Load(file(text), all...)
		require.Error(t, err, text)
		assert.NotContains(t, err.Error(), "hunter2", text)
		assert.Contains(t, err.Error(), "config.yaml:1", text)
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const hidden = "hunter2"
	secret := config.NewSecret(hidden)
	require.Equal(t, hidden, secret.Reveal())

	type nested struct {
		Exported config.Secret
		inside   config.Secret // fmt does not ask the methods of unexported fields
		Pointer  *config.Secret
		List     []config.Secret
		Map      map[string]config.Secret
	}
	full := nested{secret, secret, &secret, []config.Secret{secret}, map[string]config.Secret{"a": secret}}
	for _, v := range []any{secret, &secret, full, &full, []any{secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%T"} {
			assert.NotContains(t, fmt.Sprintf(verb, v), hidden, verb)
			assert.NotContains(t, fmt.Sprintf(verb, v), fmt.Sprintf("%x", hidden), verb)
		}
		asJSON, err := json.Marshal(v)
		require.NoError(t, err)
		assert.NotContains(t, string(asJSON), hidden)
		asYAML, err := yaml.Marshal(v)
		require.NoError(t, err)
		assert.NotContains(t, string(asYAML), hidden)

		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		assert.NotContains(t, log.String(), hidden)
	}
	assert.Equal(t, "***", fmt.Sprint(secret))
	assert.Empty(t, fmt.Sprint(config.Secret{}), "that there is none may be seen")
	assert.NotEmpty(t, full.inside)
}

func TestSecretStaysHiddenInWhatLoadReturns(t *testing.T) {
	t.Parallel()
	const hidden = "hunter2"
	for name, opts := range map[string]config.Options{
		"file": file("http: {token: hunter2}"),
		"env":  {Environ: []string{"LASTCALL_HTTP_TOKEN=hunter2"}},
		"flag": {Args: []string{"--set", "http.token=hunter2"}},
	} {
		_, s, all := sections()
		v, err := config.Load(opts, all...)
		require.NoError(t, err, name)
		require.Equal(t, hidden, s.Token.Reveal(), name)
		var printed bytes.Buffer
		require.NoError(t, v.Print(&printed))
		require.NoError(t, v.Usage(&printed))
		assert.Contains(t, printed.String(), "token: '***' #")
		assert.NotContains(t, printed.String()+fmt.Sprintf("%v %+v %#v %+v", v, *v, v, s), hidden, name)
	}
}
