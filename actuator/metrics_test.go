package actuator_test

import (
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func scrape(tb testing.TB, act http.Handler, query string) string {
	tb.Helper()
	w := ask(tb, act, http.MethodGet, "/actuator/prometheus"+query)
	require.Equal(tb, http.StatusOK, w.Code, "%s", w.Body)
	require.True(tb, strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4"))
	return w.Body.String()
}

func TestScrapeTellsPanelsAndLedgers(t *testing.T) {
	act := running(t, actuator.Config{}, bar("bar:a"), bar("bar:b"))
	text := scrape(t, act, "")
	for _, line := range []string{
		"# HELP lastcall_bar_seats Seats there are.",
		"# TYPE lastcall_bar_seats gauge",
		`lastcall_bar_seats{component="bar:a"} 8`,
		`lastcall_bar_seats{component="bar:b"} 8`,
		`lastcall_bar_drinks_total{component="bar:a",drink="tea"} 40`,
		`lastcall_bar_wait_seconds_bucket{component="bar:a",le="1"} 4`,
		`lastcall_bar_wait_seconds_bucket{component="bar:a",le="+Inf"} 5`,
		`lastcall_bar_wait_seconds_sum{component="bar:a"} 2.5`,
		`lastcall_gate_accepted_total{component="bar:a",gate="bar:a",kind="bar"} 3`,
		`lastcall_gate_inside{component="bar:a",gate="bar:a",kind="bar"} 0`,
		`lastcall_component_started{component="bar:a",kind="bar",module=""} 1`,
		`lastcall_panel_bad_metrics_total{component="bar:a"} 0`,
		"lastcall_ready 1",
	} {
		assert.Contains(t, text, line+"\n")
	}
	assert.Contains(t, text, "\ngo_goroutines ")
	assert.Contains(t, text, "\nprocess_start_time_seconds ")
	assert.Contains(t, text, "\ngo_build_info{")

	t.Run("LintHasNothingToSay", func(t *testing.T) {
		problems, err := promlint.New(strings.NewReader(text)).Lint()
		require.NoError(t, err)
		assert.Empty(t, problems)
	})
	t.Run("ByName", func(t *testing.T) {
		only := scrape(t, act, "?name[]=lastcall_ready")
		assert.Equal(t, "# HELP lastcall_ready Whether everything has started, no stop has begun, and nobody has drained it.\n# TYPE lastcall_ready gauge\nlastcall_ready 1\n", only)
	})
	t.Run("OpenMetrics", func(t *testing.T) {
		w := ask(t, act, http.MethodGet, "/actuator/prometheus", "Accept", "application/openmetrics-text; version=1.0.0")
		assert.Contains(t, w.Header().Get("Content-Type"), "application/openmetrics-text")
		assert.True(t, strings.HasSuffix(w.Body.String(), "# EOF\n"))
	})
	t.Run("Prefix", func(t *testing.T) {
		act := running(t, actuator.Config{MetricPrefix: "sms"}, bar("bar:a"))
		assert.Contains(t, scrape(t, act, ""), "\nsms_bar_seats{")
	})
}

func TestBadMetricsDoNotBreakTheScrape(t *testing.T) {
	good := lifecycle.Metric{Name: "guests", Help: "Guests.", Value: 7}
	for name, bad := range map[string]lifecycle.Metric{
		"NoName":            {},
		"NameThatIsNone":    {Name: "queue wait"},
		"LabelThatIsNone":   {Name: "x", Labels: map[string]string{"a-b": "c"}},
		"ReservedLabel":     {Name: "x", Labels: map[string]string{"__name__": "c"}},
		"LabelThatIsOurs":   {Name: "x", Labels: map[string]string{"component": "c"}},
		"NegativeCounter":   {Name: "x", Type: lifecycle.Counter, Value: -1},
		"CounterThatIsNaN":  {Name: "x", Type: lifecycle.Counter, Value: math.NaN()},
		"NoType":            {Name: "x", Type: 9},
		"ShrinkingBuckets":  {Name: "x", Type: lifecycle.Distribution, Count: 9, Buckets: map[float64]uint64{1: 5, 2: 4}},
		"BucketsAboveCount": {Name: "x", Type: lifecycle.Distribution, Count: 3, Buckets: map[float64]uint64{1: 4}},
		"BoundThatIsNaN":    {Name: "x", Type: lifecycle.Distribution, Count: 3, Buckets: map[float64]uint64{math.NaN(): 1}},
		"Twice":             good,
		"OtherType":         {Name: "guests", Type: lifecycle.Distribution},
		"OtherLabels":       {Name: "guests", Labels: map[string]string{"a": "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			act := running(t, actuator.Config{}, lifecycle.Hook{Name: "odd", Panel: &lifecycle.Panel{
				Kind: "odd-one", Metrics: func() []lifecycle.Metric { return []lifecycle.Metric{good, bad} },
			}}, bar("bar:a"))
			scrape(t, act, "")
			text := scrape(t, act, "")
			assert.Contains(t, text, "\nlastcall_odd_one_guests{component=\"odd\"} 7\n")
			assert.Contains(t, text, "\nlastcall_bar_seats{component=\"bar:a\"} 8\n")
			assert.Contains(t, text, "\nlastcall_panel_bad_metrics_total{component=\"odd\"} 2\n", "once a scrape")
			assert.Contains(t, text, "\nlastcall_panel_bad_metrics_total{component=\"bar:a\"} 0\n")
			problems, err := promlint.New(strings.NewReader(text)).Lint()
			require.NoError(t, err)
			assert.Empty(t, problems)
		})
	}
	t.Run("Panic", func(t *testing.T) {
		act := running(t, actuator.Config{}, lifecycle.Hook{Name: "odd", Panel: &lifecycle.Panel{
			Metrics: func() []lifecycle.Metric { panic("boom") },
		}}, bar("bar:a"))
		text := scrape(t, act, "")
		assert.Contains(t, text, "\nlastcall_panel_panics_total{component=\"odd\"} 1\n", "in the scrape in which it came")
		assert.Contains(t, text, "\nlastcall_bar_seats{component=\"bar:a\"} 8\n")
	})
}

func TestMetricsHaveSpringsShape(t *testing.T) {
	act := running(t, actuator.Config{}, bar("bar:a"), bar("bar:b"))
	names := get(t, act, "/actuator/metrics", http.StatusOK)["names"]
	assert.Contains(t, names, "lastcall_bar_drinks_total")
	assert.Contains(t, names, "go_goroutines")
	assert.IsIncreasing(t, stringsOf(names))

	assert.Equal(t, object{
		"name": "lastcall_bar_drinks_total", "description": "Drinks that were served.",
		"measurements": []any{object{"statistic": "COUNT", "value": 84.0}},
		"availableTags": []any{
			object{"tag": "component", "values": []any{"bar:a", "bar:b"}},
			object{"tag": "drink", "values": []any{"mead", "tea"}},
		},
	}, get(t, act, "/actuator/metrics/lastcall_bar_drinks_total", http.StatusOK))

	assert.Equal(t, object{
		"name": "lastcall_bar_drinks_total", "description": "Drinks that were served.",
		"measurements":  []any{object{"statistic": "COUNT", "value": 40.0}},
		"availableTags": []any{},
	}, get(t, act, "/actuator/metrics/lastcall_bar_drinks_total?tag=component:bar:b&tag=drink:tea", http.StatusOK))

	wait := get(t, act, "/actuator/metrics/lastcall_bar_wait_seconds", http.StatusOK)
	assert.Equal(t, "seconds", wait["baseUnit"])
	assert.Equal(t, []any{object{"statistic": "COUNT", "value": 10.0}, object{"statistic": "TOTAL_TIME", "value": 5.0}}, wait["measurements"])
	seats := get(t, act, "/actuator/metrics/lastcall_bar_seats", http.StatusOK)
	assert.Equal(t, []any{object{"statistic": "VALUE", "value": 16.0}}, seats["measurements"])

	get(t, act, "/actuator/metrics/nonsense", http.StatusNotFound)
	get(t, act, "/actuator/metrics/lastcall_bar_seats?tag=component:nobody", http.StatusNotFound)
	get(t, act, "/actuator/metrics/lastcall_bar_seats?tag=nonsense", http.StatusBadRequest)
	get(t, act, "/actuator/metrics/lastcall_bar_seats?tag=a:b&tag=a:c", http.StatusBadRequest)
}

func TestMetricsTellWhatIsNoNumber(t *testing.T) {
	act := running(t, actuator.Config{}, lifecycle.Hook{Name: "x", Panel: &lifecycle.Panel{
		Metrics: func() []lifecycle.Metric { return []lifecycle.Metric{{Name: "ratio", Value: math.NaN()}} },
	}})
	body := get(t, act, "/actuator/metrics/lastcall_component_ratio", http.StatusOK)
	assert.Equal(t, []any{object{"statistic": "VALUE", "value": "NaN"}}, body["measurements"])
	assert.Equal(t, "ratio of a component.", body["description"])
}

func TestMetricsOfTheApplicationsOwn(t *testing.T) {
	own := prometheus.NewRegistry()
	orders := prometheus.NewCounter(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."})
	own.MustRegister(orders)
	orders.Add(3)
	_, conductor := app(t)
	act := over(t, conductor, actuator.Config{}, actuator.WithGatherer(own), actuator.WithGatherer(prometheus.DefaultGatherer))
	text := scrape(t, act, "")
	assert.Contains(t, text, "\norders_total 3\n")
	assert.Contains(t, text, "\nlastcall_ready 0\n")
	assert.Equal(t, 1, strings.Count(text, "\ngo_goroutines "), "both have it, one is told")
}

func stringsOf(list any) []string {
	var all []string
	for _, v := range list.([]any) {
		all = append(all, v.(string))
	}
	return all
}
