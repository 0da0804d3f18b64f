package actuator

import (
	"path"
	"slices"
)

// The groups that are always there.
const (
	liveness  = "liveness"
	readiness = "readiness"
)

// group is the group of that name. Those that are always there are of the
// state of the application alone unless the configuration says otherwise: a
// component that is down must not get the process killed by default.
func (a *Actuator) group(name string) (HealthGroup, bool) {
	group, ok := a.cfg.Health.Groups[name]
	state := map[string]string{liveness: livenessState, readiness: readinessState}[name]
	if state != "" && len(group.Include) == 0 {
		return HealthGroup{Include: []string{state}, Exclude: group.Exclude}, true
	}
	return group, ok
}

func (a *Actuator) groupNames() []string {
	names := append(sortedKeys(a.cfg.Health.Groups), liveness, readiness)
	slices.Sort(names)
	return slices.Compact(names)
}

// has reports whether a name is in the group.
func (g HealthGroup) has(name string) bool {
	return (len(g.Include) == 0 || matches(g.Include, name)) && !matches(g.Exclude, name)
}

// matches goes by path.Match, whose * does not reach over a "/". Names have
// some, but nobody who writes * thinks of that.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if p == "*" || p == name {
			return true
		}
		ok, _ := path.Match(p, name) // Validate has looked at the pattern
		return ok
	})
}
