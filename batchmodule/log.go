package batchmodule

import (
	"fmt"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

// logOptions tell the log what no ledger can: which item failed and why. They
// come before those of the user, which take their place. Items are not logged:
// what they hold is nobody's business here.
func logOptions[T any](log *zap.Logger, name string) []batch.Option[T] {
	if log == nil {
		return nil
	}
	log = log.Named("batch").With(zap.String("batcher", name))
	return []batch.Option[T]{
		batch.WithBurial[T](func(b batch.Burial) { logBurial(log, b) }),
		batch.WithReplay[T](func(r batch.Replay) { logReplay(log, r) }),
		batch.WithRetrying[T](func(r batch.Retrying) {
			log.Debug("flush failed, will be tried again", append(keyFields(r.Key),
				zap.Int("items", r.Items), zap.Int("calls", r.Calls), zap.Duration("after", r.After), zap.Error(r.Err))...)
		}),
		batch.WithPanicHandler[T](func(p *batch.PanicError) {
			log.Error("panic in a function given to the batcher", zap.Any("panic", p.Value), zap.String("stack", p.Stack))
		}),
	}
}

func logBurial(log *zap.Logger, b batch.Burial) {
	fields := append(keyFields(b.Key), zap.Int("attempts", b.Attempts))
	if b.ID != "" {
		fields = append(fields, zap.String("id", b.ID), zap.String("reason", string(b.Reason)))
	}
	if b.Err != nil {
		log.Error("a dead letter could not be written, and will be tried again",
			append(fields, zap.Duration("after", b.After), zap.Error(b.Err), zap.NamedError("cause", b.Cause))...)
		return
	}
	log.Warn("item failed for good", append(fields, zap.Error(b.Cause))...)
}

func logReplay(log *zap.Logger, r batch.Replay) {
	fields := []zap.Field{zap.Int("entered", r.Entered), zap.Int("left", r.Left), zap.Duration("took", r.Took)}
	if r.Unreadable > 0 {
		fields = append(fields, zap.Int("unreadable", r.Unreadable))
	}
	switch {
	case r.Err != nil:
		log.Warn("replay: it ended before its time, and what is left stays in the journal", append(fields, zap.Error(r.Err))...)
	case r.Over && r.Unreadable > 0:
		log.Warn("replay: done, but for items that cannot be read", fields...)
	case r.Over:
		log.Info("replay: done", fields...)
	case r.Took == 0:
		log.Info(fmt.Sprintf("replaying %d items of an earlier life", r.Left))
	default:
		log.Info("replay: still going on", fields...)
	}
}

func keyFields(key string) []zap.Field {
	if key == "" {
		return nil
	}
	return []zap.Field{zap.String("key", key)}
}
