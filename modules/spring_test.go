package modules_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// springs are the keys that Spring Boot documents for what its endpoints answer
// (Actuator Web API, version 3), as far as they are not about Java: what Spring
// Boot Admin and IDE dashboards read. "*" is any key of a map, "[]" an element
// of a list. The value says what stands there.
var springs = map[string]map[string]string{
	"": {
		"_links.self.href": "string", "_links.self.templated": "bool", "_links.health.href": "string",
		"_links.*.href": "string", "_links.*.templated": "bool",
	},
	"/health": {"status": "string", "components.*.status": "string", "components.*.details": "?object", "groups[]": "string"},
	"/info": {
		"build.artifact": "string", "build.name": "string", "build.version": "string", "git.commit.id": "?string",
		"os.name": "string", "os.arch": "string", "process.pid": "number", "process.parentPid": "number", "process.cpus": "number",
	},
	"/metrics": {"names[]": "string"},
	"/metrics/lastcall_gate_inside": {
		"name": "string", "description": "string", "measurements[].statistic": "string", "measurements[].value": "number",
		"availableTags[].tag": "string", "availableTags[].values[]": "string",
	},
	"/loggers":      {"levels[]": "string", "loggers.*.configuredLevel": "string", "loggers.*.effectiveLevel": "string", "groups": "object"},
	"/loggers/ROOT": {"configuredLevel": "string", "effectiveLevel": "string"},
	"/env": {
		"activeProfiles": "list", "propertySources[].name": "string", "propertySources[].properties": "object", "propertySources[].properties.*.value": "any",
	},
	"/env/http.addr": {
		"property.source": "string", "property.value": "string", "activeProfiles": "list", "propertySources[].name": "string",
	},
	"/configprops": {"contexts.*.beans.*.prefix": "string", "contexts.*.beans.*.properties": "object", "contexts.*.beans.*.inputs": "object"},
	"/beans": {
		"contexts.*.beans.*.aliases": "list", "contexts.*.beans.*.scope": "string", "contexts.*.beans.*.type": "string", "contexts.*.beans.*.dependencies": "list",
	},
	"/conditions": {
		"contexts.*.positiveMatches.*[].condition": "string", "contexts.*.positiveMatches.*[].message": "string",
		"contexts.*.negativeMatches": "object", "contexts.*.unconditionalClasses": "list",
	},
	"/startup": {
		"timeline.startTime": "string", "timeline.events[].startTime": "string", "timeline.events[].endTime": "string", "timeline.events[].duration": "string",
		"timeline.events[].startupStep.name": "string", "timeline.events[].startupStep.id": "number", "timeline.events[].startupStep.tags[].key": "?string",
	},
	"/threaddump": {
		"threads[].threadName": "string", "threads[].threadId": "number", "threads[].blockedTime": "number", "threads[].blockedCount": "number",
		"threads[].waitedTime": "number", "threads[].waitedCount": "number", "threads[].lockOwnerId": "number", "threads[].daemon": "bool",
		"threads[].inNative": "bool", "threads[].suspended": "bool", "threads[].threadState": "string", "threads[].priority": "number",
		"threads[].stackTrace[].className": "string", "threads[].stackTrace[].methodName": "string", "threads[].stackTrace[].fileName": "string",
		"threads[].stackTrace[].lineNumber": "number", "threads[].stackTrace[].nativeMethod": "bool",
		"threads[].lockedMonitors": "list", "threads[].lockedSynchronizers": "list",
	},
}

// TestAnswersHaveSpringsShape holds a running service against Spring's
// documented keys. Further keys do no harm: its clients ignore them.
func TestAnswersHaveSpringsShape(t *testing.T) {
	t.Parallel()
	s := newSample(t, t.TempDir(), "", nil, nil).start(t)
	for path, keys := range springs {
		t.Run(strings.TrimPrefix(path+"/", "/"), func(t *testing.T) {
			answer := s.exchange(t, http.MethodGet, "/actuator"+path)
			require.Equal(t, http.StatusOK, answer.status, "%s", answer.body)
			assert.Equal(t, "application/vnd.spring-boot.actuator.v3+json", answer.header.Get("Content-Type"))
			var body any
			require.NoError(t, json.Unmarshal(answer.body, &body))
			for key, want := range keys {
				optional := strings.HasPrefix(want, "?")
				found := valuesAt(body, key)
				if len(found) == 0 {
					assert.True(t, optional, "%s is not there", key)
				}
				for _, got := range found {
					is := kindOfJSON(got)
					assert.True(t, is == strings.TrimPrefix(want, "?") || want == "any", "%s is %s: %v", key, is, got)
				}
			}
		})
	}
}

// valuesAt are all that is found on a way of keys.
func valuesAt(v any, way string) []any {
	values := []any{v}
	for _, step := range strings.Split(strings.ReplaceAll(way, "[]", ".[]"), ".") {
		var next []any
		for _, v := range values {
			switch v := v.(type) {
			case map[string]any:
				if step == "*" {
					for _, key := range slices.Sorted(maps.Keys(v)) {
						next = append(next, v[key])
					}
				} else if at, ok := v[step]; ok {
					next = append(next, at)
				}
			case []any:
				if step == "[]" {
					next = append(next, v...)
				}
			}
		}
		values = next
	}
	return values
}

func kindOfJSON(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "list"
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	default:
		return fmt.Sprintf("%T", v)
	}
}
