package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/config"
)

// TestDeclaredEntries: where all entries are declared, another name is an
// unknown key in every source, reported with the rest.
func TestDeclaredEntries(t *testing.T) {
	t.Parallel()
	type pool struct {
		Workers int `yaml:"workers"`
	}
	load := func(declared bool) (map[string]pool, error) {
		pools := map[string]pool{"sms": {Workers: 1}}
		_, err := config.Load(config.Options{
			File:     "config.yaml",
			ReadFile: func(string) ([]byte, error) { return []byte("pools:\n  smss: {workers: 2}\n"), nil },
			Environ:  []string{"LASTCALL_POOLS__EMAIL__WORKERS=3"},
			Args:     []string{"--set=pools.push.workers=4"},
		}, config.Section{Key: "pools", Value: &pools, Declared: declared})
		return pools, err
	}

	open, err := load(false)
	require.NoError(t, err)
	assert.Equal(t, map[string]pool{"sms": {1}, "smss": {2}, "email": {3}, "push": {4}}, open)

	closed, err := load(true)
	var wrong *config.Error
	require.ErrorAs(t, err, &wrong)
	assert.Len(t, wrong.Problems, 3)
	assert.ErrorContains(t, err, `config.yaml:2:3: pools.smss: unknown key, did you mean "sms"?`)
	assert.ErrorContains(t, err, "LASTCALL_POOLS__EMAIL__WORKERS")
	assert.ErrorContains(t, err, "pools.push.workers")
	assert.Equal(t, map[string]pool{"sms": {1}}, closed)
}
