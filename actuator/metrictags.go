package actuator

import (
	"net/http"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// tags are labels that a metric must have, by name.
type tags map[string]string

// tagsOf reads "name:value". The value may have colons, as names of components
// do.
func tagsOf(given []string) (tags, error) {
	t := tags{}
	for _, s := range given {
		name, value, ok := strings.Cut(s, ":")
		if !ok || name == "" {
			return nil, problemf(http.StatusBadRequest, "tag=%q is not known; write it like tag=component:pool", clip(s))
		}
		if before, twice := t[name]; twice && before != value {
			return nil, problemf(http.StatusBadRequest, "nothing has two values of the tag %q; give one", clip(name))
		}
		t[name] = value
	}
	return t, nil
}

func (t tags) match(m *dto.Metric) bool {
	has := 0
	for _, l := range m.Label {
		if value, wanted := t[l.GetName()]; wanted && value == l.GetValue() {
			has++
		}
	}
	return has == len(t)
}

// others are the labels that have not been asked for.
func (t tags) others(f *dto.MetricFamily) []availableTag {
	values := map[string][]string{}
	for _, m := range f.Metric {
		for _, l := range m.Label {
			if _, asked := t[l.GetName()]; !asked {
				values[l.GetName()] = append(values[l.GetName()], l.GetValue())
			}
		}
	}
	available := []availableTag{}
	for _, name := range sortedKeys(values) {
		slices.Sort(values[name])
		available = append(available, availableTag{name, slices.Compact(values[name])})
	}
	return available
}
