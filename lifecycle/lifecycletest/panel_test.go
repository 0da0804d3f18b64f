package lifecycletest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
)

func TestAssertPanel(t *testing.T) {
	t.Parallel()
	metric := func(m lifecycle.Metric) lifecycle.Panel {
		if m.Help == "" {
			m.Help = "Something."
		}
		return lifecycle.Panel{Metrics: func() []lifecycle.Metric { return []lifecycle.Metric{m} }}
	}
	knob := func(k lifecycle.Knob) lifecycle.Panel {
		k.Name, k.Help = "k", "Something."
		return lifecycle.Panel{Knobs: func() []lifecycle.Knob { return []lifecycle.Knob{k} }}
	}
	for want, give := range map[string]lifecycle.Panel{
		"":                                    metric(lifecycle.Metric{Name: "wait_seconds", Type: lifecycle.Distribution, Count: 3, Buckets: map[float64]uint64{1: 1, 2: 3}}),
		"stats: json:":                        {Stats: func() any { return make(chan int) }},
		"its name is not of lower case words": metric(lifecycle.Metric{Name: "Wait"}),
		"ends as that of another type would":  metric(lifecycle.Metric{Name: "wait_total"}),
		"give seconds or bytes, as the last word": metric(lifecycle.Metric{Name: "wait_ms"}),
		"the ledger has a column of that name":    metric(lifecycle.Metric{Name: "accepted"}),
		"is no sentence":                          metric(lifecycle.Metric{Name: "wait", Help: "no"}),
		`label "component" cannot be used`:        metric(lifecycle.Metric{Name: "wait", Labels: map[string]string{"component": "x"}}),
		"a distribution has buckets":              metric(lifecycle.Metric{Name: "wait", Type: lifecycle.Distribution}),
		"fewer samples up to 2 than":              metric(lifecycle.Metric{Name: "wait", Type: lifecycle.Distribution, Count: 3, Buckets: map[float64]uint64{1: 3, 2: 1}}),
		"3 samples in buckets, and 1 in all":      metric(lifecycle.Metric{Name: "wait", Type: lifecycle.Distribution, Count: 1, Buckets: map[float64]uint64{1: 3}}),
		"it is there twice": {Metrics: func() []lifecycle.Metric {
			return []lifecycle.Metric{{Name: "a", Help: "A."}, {Name: "a", Help: "A."}}
		}},
		"two types or help texts": {Metrics: func() []lifecycle.Metric {
			return []lifecycle.Metric{{Name: "a", Help: "A."}, {Name: "a", Help: "B.", Labels: map[string]string{"x": "y"}}}
		}},
		"its value 3 (int) is not of its type":            knob(lifecycle.Knob{Type: lifecycle.IntKnob, Value: 3}),
		"its value 3 (int64) is not of its type int, or":  knob(lifecycle.Knob{Type: lifecycle.IntKnob, Value: int64(3), Max: int64(2)}),
		"its value 3 (int64) is not of its type int":      knob(lifecycle.Knob{Type: lifecycle.IntKnob, Value: int64(3), Min: 1}),
		"its value c (string) is not of its type choice,": knob(lifecycle.Knob{Type: lifecycle.ChoiceKnob, Value: "c", Choices: []string{"a"}}),
	} {
		f := &fake{}
		give.Kind = "thing"
		ok := lifecycletest.AssertPanel(f, lifecycle.Component{Name: "x", Panel: &give})
		if want == "" {
			assert.True(t, ok)
			assert.Empty(t, f.errors)
			continue
		}
		assert.False(t, ok)
		require.Len(t, f.errors, 1)
		assert.Contains(t, f.errors[0], want)
	}

	f := &fake{}
	assert.False(t, lifecycletest.AssertPanel(f, lifecycle.Component{Name: "x"}))
	assert.Equal(t, []string{`lifecycletest: "x" has no panel`}, f.errors)
}
