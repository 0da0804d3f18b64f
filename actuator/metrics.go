package actuator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

func (a *Actuator) metricEndpoints() []endpoint {
	return []endpoint{
		{Endpoint{
			ID: "metrics", Method: http.MethodGet, Path: "/metrics", Answer: metricNames{},
			Summary: "The names of all metrics.",
		}, a.metricNames},
		{Endpoint{
			ID: "metrics", Method: http.MethodGet, Path: "/metrics/{requiredMetricName}", Answer: metric{},
			Query:   map[string]string{"tag": "`name:value` counts only what has this label; more than one may be given"},
			Summary: "One metric, summed over its labels, and what labels there are.",
		}, a.metric},
		{Endpoint{
			ID: "prometheus", Method: http.MethodGet, Path: "/prometheus", Media: []string{"text/plain", "application/openmetrics-text"},
			Query:   map[string]string{"name[]": "tells only the metric of this name; more than one may be given"},
			Summary: "All metrics for Prometheus, as text or OpenMetrics.",
		}, a.prometheus},
	}
}

// metricNames, metric, measurement and availableTag are Spring's.
type metricNames struct {
	Names []string `json:"names"`
}

type metric struct {
	Name          string         `json:"name"`
	Description   string         `json:"description,omitempty"`
	BaseUnit      string         `json:"baseUnit,omitempty"`
	Measurements  []measurement  `json:"measurements"`
	AvailableTags []availableTag `json:"availableTags"`
}

type measurement struct {
	Statistic string `json:"statistic"`
	Value     number `json:"value"`
}

type availableTag struct {
	Tag    string   `json:"tag"`
	Values []string `json:"values"`
}

// number is a text in JSON where JSON has no number for it, as Spring's are.
type number float64

// MarshalJSON implements [json.Marshaler].
func (n number) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(float64(n))
	if err != nil {
		return json.Marshal(fmt.Sprint(float64(n)))
	}
	return raw, nil
}

func (a *Actuator) metricNames(w http.ResponseWriter, r *http.Request) error {
	// What cannot be told is left out, as in a scrape.
	families, _ := a.gatherer.Gather()
	names := metricNames{Names: []string{}}
	for _, f := range families {
		names.Names = append(names.Names, f.GetName())
	}
	return reply(w, r, http.StatusOK, names)
}

func (a *Actuator) metric(w http.ResponseWriter, r *http.Request) error {
	tags, err := tagsOf(r.URL.Query()["tag"])
	if err != nil {
		return err
	}
	name := r.PathValue("requiredMetricName")
	families, _ := a.gatherer.Gather()
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
	if i < 0 {
		return problemf(http.StatusNotFound, "there is no metric %q; %s/metrics lists their names", clip(name), a.cfg.BasePath)
	}
	family := families[i]
	family.Metric = slices.DeleteFunc(family.Metric, func(m *dto.Metric) bool { return !tags.match(m) })
	if len(family.Metric) == 0 {
		return problemf(http.StatusNotFound, "nothing of %s has these tags; without them, it lists those there are", name)
	}
	return reply(w, r, http.StatusOK, metric{
		Name: name, Description: family.GetHelp(), BaseUnit: unitOf(name),
		Measurements: measure(family), AvailableTags: tags.others(family),
	})
}

// unitOf is the last word of a name that has a unit there.
func unitOf(name string) string {
	name = strings.TrimSuffix(name, "_total")
	for _, unit := range []string{"seconds", "bytes", "ratio"} {
		if strings.HasSuffix(name, "_"+unit) {
			return unit
		}
	}
	return ""
}

// measure sums over all that is left of the family.
func measure(f *dto.MetricFamily) []measurement {
	var value, count, total float64
	for _, m := range f.Metric {
		value += m.GetGauge().GetValue() + m.GetUntyped().GetValue()
		count += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount()+m.GetSummary().GetSampleCount())
		total += m.GetHistogram().GetSampleSum() + m.GetSummary().GetSampleSum()
	}
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		return []measurement{{"COUNT", number(count)}}
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM, dto.MetricType_SUMMARY:
		statistic := "TOTAL"
		if unitOf(f.GetName()) == "seconds" {
			statistic = "TOTAL_TIME"
		}
		return []measurement{{"COUNT", number(count)}, {statistic, number(total)}}
	default:
		return []measurement{{"VALUE", number(value)}}
	}
}
