package batchmodule

import (
	"context"

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
		batch.WithDeadLetter(func(_ context.Context, l batch.DeadLetter[T]) {
			log.Warn("item failed for good", append(keyFields(l.Key), zap.Int("attempts", l.Attempts), zap.Error(l.Err))...)
		}),
		batch.WithRetrying[T](func(r batch.Retrying) {
			log.Debug("flush failed, will be tried again", append(keyFields(r.Key),
				zap.Int("items", r.Items), zap.Int("calls", r.Calls), zap.Duration("after", r.After), zap.Error(r.Err))...)
		}),
		batch.WithPanicHandler[T](func(p *batch.PanicError) {
			log.Error("panic in a function given to the batcher", zap.Any("panic", p.Value), zap.String("stack", p.Stack))
		}),
	}
}

func keyFields(key string) []zap.Field {
	if key == "" {
		return nil
	}
	return []zap.Field{zap.String("key", key)}
}
