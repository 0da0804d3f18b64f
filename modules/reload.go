package modules

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// Reload is the section "reload".
type Reload struct {
	// Enabled is whether the files of the configuration are watched while the
	// application runs, and changes in them come into force. Zero: they are, but
	// in a test binary: a bubble of testing/synctest, whose time stands still while
	// something outside is waited for, would never end.
	Enabled *bool `yaml:"enabled"`
	// Watch says how.
	Watch config.WatchConfig `yaml:",inline"`
}

// Validate reports every wrong field.
func (r Reload) Validate() error { return r.Watch.Validate() }

// WithDefaults is r with what is zero filled in.
func (r Reload) WithDefaults() Reload {
	if r.Enabled == nil {
		on := true
		r.Enabled = &on
	}
	r.Watch = r.Watch.WithDefaults()
	return r
}

// configComponent is the component of the configuration.
const configComponent = "config"

// EventConfig is the kind of the event that tells of a reload, which is its
// Data.
const EventConfig = "config"

// reloader brings changes of the files into force, and keeps changes in them.
type reloader struct {
	conductor *lifecycle.Conductor
	log       *zap.Logger
	mask      actuator.Config
	boot      *config.Values  // what the application was built from
	watcher   *config.Watcher // nil: nobody watches

	// keeping is held by the one who writes the overrides file.
	keeping sync.Mutex

	mu      sync.Mutex
	inCode  map[string]bool      // keys whose value another one in code stands over
	current *config.Values       // what was last good
	kept    map[string][]written // written into the overrides file, by keys, the oldest first, and not found in it yet
	pending []keyChange          // what of it needs a restart
	wrong   []wrongKey           // why the files are rejected as they are now; empty: they are not
	since   time.Time            // since when
	last    reloaded
	history []reloaded // the last maxReloads, oldest first
	counts  map[reloadOutcome]uint64
}

type reloaderIn struct {
	fx.In

	Lifecycle  fx.Lifecycle
	Values     *config.Values
	Config     Reload
	Conductor  *lifecycle.Conductor `optional:"true"`
	Management ManagementConfig     `optional:"true"`
	Logger     *zap.Logger          `optional:"true"`
}

// newReloader is nil in a bare Fx application: there is no door to knobs.
func newReloader(in reloaderIn) *reloader {
	if in.Conductor == nil {
		return nil
	}
	r := &reloader{
		conductor: in.Conductor, log: in.Logger, mask: in.Management.Actuator,
		boot: in.Values, current: in.Values, kept: map[string][]written{}, counts: map[reloadOutcome]uint64{},
	}
	if r.log == nil {
		r.log = zap.NewNop()
	}
	cfg := in.Config.WithDefaults()
	if asked := in.Values.Origin("reload.enabled").Source != config.FromDefault; *cfg.Enabled && (asked || !testing.Testing()) {
		r.watcher = config.NewWatcher(in.Values, cfg.Watch, r.reload)
	}
	if in.Values.Overrides() != "" {
		in.Conductor.PersistIn(r)
	}
	lifecycle.Append(in.Lifecycle, lifecycle.Hook{
		Name: configComponent, Band: lifecycle.Sink, Panel: r.panel(),
		// It has its own time in PreDestroy, also when that of the stop is over.
		OnStart: r.start, PreDestroy: r.stop,
	})
	return r
}

// start comes before the start of almost everything else: knobs are as they were
// built.
func (r *reloader) start(ctx context.Context) error {
	r.mu.Lock()
	r.inCode = r.setInCode()
	r.mu.Unlock()
	if r.watcher == nil {
		return nil
	}
	return r.watcher.Start(ctx)
}

func (r *reloader) stop(ctx context.Context) error {
	if r.watcher == nil {
		return nil
	}
	return r.watcher.Stop(ctx)
}

// reload is called by the watcher, one call at a time: what the files come to
// now comes into force as a whole, or not at all.
func (r *reloader) reload(ctx context.Context, next *config.Values, err error) {
	if err != nil {
		r.reject(problemsOf(err))
		return
	}
	knobs := r.knobs()
	p := r.planOf(knobs, next)
	if wrong := r.turnAll(ctx, p.turns); len(wrong) > 0 {
		if ctx.Err() == nil {
			r.reject(wrong)
		}
		return // the application stops: there is nothing to bring into force any more
	}
	r.accept(next, p.changes, r.pendingIn(knobs, next))
}

func problemsOf(err error) []config.Problem {
	var all *config.Error
	if errors.As(err, &all) {
		return all.Problems
	}
	return []config.Problem{{Msg: err.Error()}}
}

// reject keeps what was last good.
func (r *reloader) reject(problems []config.Problem) {
	entry := reloaded{Outcome: reloadRejected, Problems: r.wrongKeys(problems)}
	r.mu.Lock()
	r.wrong, r.since = entry.Problems, time.Now()
	entry = r.noteLocked(entry)
	r.mu.Unlock()
	r.tell(entry)
	for _, w := range entry.Problems {
		r.log.Warn("configuration rejected, what was last good stays in force", zap.String("problem", w.String()))
	}
}

// accept is for what has come into force.
func (r *reloader) accept(next *config.Values, changes, pending []keyChange) {
	entry := reloaded{Outcome: reloadApplied, Changes: changes}
	if len(changes) == 0 {
		entry.Outcome = reloadUnchanged
	}
	r.mu.Lock()
	again := len(r.wrong) > 0
	r.forgetLocked(next, changes)
	r.current, r.pending, r.wrong = next, pending, nil
	entry = r.noteLocked(entry)
	r.mu.Unlock()
	r.tell(entry)
	if again {
		r.log.Info("configuration is good again", zap.Int("changes", len(changes)))
	}
	for _, c := range changes {
		fields := []zap.Field{zap.String("change", c.String()), zap.String("from", c.Origin)}
		if c.Effect == inForce {
			r.log.Info("configuration changed", fields...)
		} else {
			r.log.Warn("configuration changed, but not what is in force: "+string(c.Effect), fields...)
		}
	}
}

func (r *reloader) tell(entry reloaded) {
	r.conductor.Events().Add(lifecycle.Event{At: entry.At, Kind: EventConfig, Component: configComponent, Text: entry.String(), Data: entry})
}

var _ lifecycle.Keeper = (*reloader)(nil)

// Keep writes changes of knobs into the overrides file.
func (r *reloader) Keep(_ context.Context, values map[string]any, by string) (was map[string]any, err error) {
	r.keeping.Lock()
	defer r.keeping.Unlock()
	r.mu.Lock()
	current := r.current
	for key := range values {
		if r.inCode[key] {
			r.mu.Unlock()
			return nil, fmt.Errorf("%s: %w: code has put another value in its place, and will again", key, config.ErrOutranked)
		}
	}
	// The watcher finds what is written, and then it is the current one. By then
	// somebody may have turned the knob again, who comes later and counts.
	was = r.wasKeptLocked(values)
	for key, value := range values {
		r.kept[key] = append(r.kept[key], written{value, value})
	}
	r.mu.Unlock()
	next, err := current.Keep(values, by)
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, value := range values {
		last := len(r.kept[key]) - 1
		switch {
		case last < 0 || r.kept[key][last].value != value: // found already, or overwritten by somebody
		case err != nil:
			r.kept[key] = r.kept[key][:last]
		case value == nil:
			now, _ := next.Value(key)
			r.kept[key][last].counts = now.Value
		}
	}
	return was, err
}

// written is what was written of a key: a value, or nil for a line that was
// taken out, and what counts then.
type written struct{ value, counts any }

// wasKeptLocked is what the overrides file says of these keys: as the watcher
// has found it, and what was written since.
func (r *reloader) wasKeptLocked(keys map[string]any) map[string]any {
	was := map[string]any{}
	for _, layer := range r.current.Layers() {
		if layer.Source != config.FromOverrides {
			continue
		}
		for key := range keys {
			if v, ok := layer.Value(key); ok {
				was[key] = v.Value
			}
		}
	}
	for key := range keys {
		if n := len(r.kept[key]); n > 0 {
			was[key] = r.kept[key][n-1].value
		}
	}
	return was
}

// forgetLocked is for what was written and is found now, with all that was
// written before it. A key that has become something else was changed by
// somebody else.
func (r *reloader) forgetLocked(next *config.Values, changes []keyChange) {
	found := map[string]bool{}
	for key, kept := range r.kept {
		v, _ := next.Value(key)
		for i := len(kept) - 1; i >= 0; i-- {
			if isSame(kept[i].counts, v) {
				r.kept[key], found[key] = kept[i+1:], true
				break
			}
		}
	}
	for _, c := range changes {
		if !found[c.Key] {
			delete(r.kept, c.Key)
		}
	}
}
