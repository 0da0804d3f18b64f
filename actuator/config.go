package actuator

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Defaults of [Config].
const (
	DefaultBasePath      = "/actuator"
	DefaultMetricPrefix  = "lastcall"
	DefaultMaxBodyBytes  = 64 << 10
	DefaultMaxSeries     = 30_000
	DefaultHealthTimeout = time.Second
	DefaultHealthCache   = time.Second
)

// Config is what can be set about the actuator. The zero value is usable.
type Config struct {
	// BasePath is where the endpoints are: "/manage". Zero: "/actuator".
	BasePath string `yaml:"base_path"`
	// Endpoints turns endpoints on or off by their id: "heapdump: true". An
	// endpoint that is off answers 404 and is not in the index. Zero: each as
	// the table of endpoints says.
	Endpoints map[string]bool `yaml:"endpoints"`
	// ReadOnly refuses everything that changes something, with 403, and leaves
	// it out of the index. Zero: what is on can be done.
	ReadOnly bool `yaml:"read_only"`
	// Health is how health is asked and shown.
	Health HealthConfig `yaml:"health"`
	// Info is added to what /info tells. Zero: nothing is.
	Info map[string]any `yaml:"info"`
	// MetricPrefix is put before the names of metrics. Zero: "lastcall".
	MetricPrefix string `yaml:"metric_prefix"`
	// MaxSeries bounds how many numbers are recorded for /history: each costs 0.1
	// to 0.8 KB, and a pool has about 20. Turn the endpoint "history" off to record
	// nothing. Zero: 30,000.
	MaxSeries int `yaml:"max_series"`
	// Show are patterns ("*_token", see [path.Match]) of keys whose values are
	// no secret though they sound like one. Zero: none.
	Show []string `yaml:"show"`
	// MaxBodyBytes bounds the body of a request; more gets 413. It cannot be
	// off. Zero: 64 KiB.
	MaxBodyBytes int64 `yaml:"max_body_bytes"`
}

// HealthConfig is how health is asked and shown.
type HealthConfig struct {
	// Timeout is how long one component may take to say how it is; then it is
	// UNKNOWN. Zero: 1s.
	Timeout time.Duration `yaml:"timeout"`
	// Cache is how long an answer holds. Negative: not at all. Zero: 1s.
	Cache time.Duration `yaml:"cache"`
	// Groups are views of some components, by name: "database: {include:
	// [db-*]}" is at /actuator/health/database. "liveness" and "readiness"
	// are there without being named here, and are what /livez and /readyz
	// answer; their zero is the state of the application alone.
	Groups map[string]HealthGroup `yaml:"groups"`
	// Details says who sees components and their details, rather than one
	// word: [Always], [Never], or [WhenAuthorized], the zero.
	Details Detail `yaml:"details"`
}

// HealthGroup says which components a group is of, by patterns of their names
// as in [path.Match]; "livenessState" and "readinessState" are the state of
// the application.
type HealthGroup struct {
	// Include are those that are in. Zero: all.
	Include []string `yaml:"include"`
	// Exclude are those of them that are not. Zero: none.
	Exclude []string `yaml:"exclude"`
}

// Detail says who may see the details of health.
type Detail string

// Who may see the details of health.
const (
	WhenAuthorized Detail = "when_authorized" // see [WithAuthorized]
	Always         Detail = "always"
	Never          Detail = "never"
)

var (
	validPath   = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)
	validPrefix = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)
	validGroup  = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
)

// Validate reports every wrong field by its name.
func (c Config) Validate() error { return c.ValidateWith() }

// ValidateWith is Validate where endpoints with these ids are added by
// [WithEndpoints].
func (c Config) ValidateWith(ids ...string) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.BasePath != "" && (!validPath.MatchString(c.BasePath) || path.Clean(c.BasePath) != c.BasePath) {
		bad("base_path: %q is no path; write it like %q, or leave it out", c.BasePath, DefaultBasePath)
	}
	if c.MetricPrefix != "" && !validPrefix.MatchString(c.MetricPrefix) {
		bad("metric_prefix: %q cannot begin a metric's name; use letters, digits and _", c.MetricPrefix)
	}
	if c.MaxBodyBytes < 0 {
		bad("max_body_bytes: %d is negative; give a number of bytes, or leave it out", c.MaxBodyBytes)
	}
	if c.MaxSeries < 0 {
		bad("max_series: %d is negative; give a number, or turn the endpoint history off", c.MaxSeries)
	}
	known := slices.Compact(slices.Sorted(slices.Values(append(endpointIDs(), ids...))))
	for _, id := range sortedKeys(c.Endpoints) {
		if !slices.Contains(known, id) {
			bad("endpoints.%s: there is no such endpoint; use one of %s", id, strings.Join(known, ", "))
		}
	}
	errs = append(errs, badPatterns("show", c.Show)...)
	errs = append(errs, c.Health.problems()...)
	return errors.Join(errs...)
}

func (h HealthConfig) problems() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if h.Timeout < 0 {
		bad("health.timeout: %v is negative; give a duration such as 1s, or leave it out", h.Timeout)
	}
	switch h.Details {
	case "", WhenAuthorized, Always, Never:
	default:
		bad("health.details: %q is unknown; use %s, %s or %s", h.Details, WhenAuthorized, Always, Never)
	}
	for _, name := range sortedKeys(h.Groups) {
		field := "health.groups." + name
		if !validGroup.MatchString(name) {
			bad("%s: the name cannot stand in a path; use letters, digits, -, . and _", field)
		}
		errs = append(errs, badPatterns(field+".include", h.Groups[name].Include)...)
		errs = append(errs, badPatterns(field+".exclude", h.Groups[name].Exclude)...)
	}
	return errs
}

func badPatterns(field string, patterns []string) []error {
	var errs []error
	for i, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %q is no pattern (%w); * stands for anything, [ must be closed", field, i, p, err))
		}
	}
	return errs
}

// WithDefaults is c with what is zero filled in.
func (c Config) WithDefaults() Config {
	fill(&c.BasePath, DefaultBasePath)
	fill(&c.MetricPrefix, DefaultMetricPrefix)
	fill(&c.MaxBodyBytes, DefaultMaxBodyBytes)
	fill(&c.MaxSeries, DefaultMaxSeries)
	fill(&c.Health.Timeout, DefaultHealthTimeout)
	fill(&c.Health.Cache, DefaultHealthCache)
	fill(&c.Health.Details, WhenAuthorized)
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
