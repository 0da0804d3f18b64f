package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/config"
)

type filling struct {
	Items  int `yaml:"items"`
	Buffer int `yaml:"buffer"` // follows from Items
}

func (f filling) WithDefaults() filling {
	if f.Items == 0 {
		f.Items = 10
	}
	if f.Buffer == 0 {
		f.Buffer = 2 * f.Items
	}
	return f
}

// TestDefaultsOfAType: what a type makes of its zero fields is shown, after
// everything else is known, and is not written into the value.
func TestDefaultsOfAType(t *testing.T) {
	t.Parallel()
	values := struct {
		One  filling            `yaml:"one"`
		Many map[string]filling `yaml:"many"`
	}{Many: map[string]filling{"a": {}, "b": {}}}
	v, err := config.Load(
		config.Options{Args: []string{"--set=many.a.items=50"}},
		config.Section{Value: &values})
	require.NoError(t, err)
	assert.Equal(t, `many:
  a:
    buffer: 100 # default
    items: 50 # --set
  b:
    buffer: 20 # default
    items: 10 # default
one:
  buffer: 20 # default
  items: 10 # default
`, v.String())
	assert.Equal(t, filling{Items: 50}, values.Many["a"])
	assert.Zero(t, values.One)
}
