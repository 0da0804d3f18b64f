package poolmodule

import (
	"slices"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// poolOptions tell the log what no ledger can: which panic, and what was
// thrown away. They come before those of [With], which take their place.
func poolOptions(log *zap.Logger, name string) []pool.Option {
	if log == nil {
		return nil
	}
	log = log.Named("pool").With(zap.String("pool", name))
	return []pool.Option{
		pool.WithPanicHandler(func(p *pool.PanicError) {
			log.Error("panic in a task", zap.Any("panic", p.Value), zap.String("stack", p.Stack))
		}),
		pool.WithDiscardHandler(func(d pool.Discard) {
			var fields []zap.Field
			if d.Lane != "" {
				fields = append(fields, zap.String("lane", d.Lane))
			}
			log.Debug("discarded: the queue was full", append(fields, keyFields(d.Key)...)...)
		}),
	}
}

// sayWhatIsLost says at the start of a pool what nobody should learn from a
// receipt. One with a lane may never be given a closure, so that it says so to
// who looks closely.
func (d *declaration) sayWhatIsLost(log *zap.Logger, lanes []DeclaredLane) {
	if log == nil || d.save != nil {
		return
	}
	level := zap.InfoLevel
	if slices.ContainsFunc(lanes, func(l DeclaredLane) bool { return l.Pool == d.Name }) {
		level = zap.DebugLevel
	}
	log.Named("pool").Log(level, "takes closures, which cannot be saved: those that a stop cuts are lost; use a lane, or SaveTasks",
		zap.String("pool", d.Name))
}

func keyFields(key string) []zap.Field {
	if key == "" {
		return nil
	}
	return []zap.Field{zap.String("key", key)}
}
