package poolmodule

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// laneLog tells the log of items that failed for good, where nobody else is
// told of them, and of what becomes of the journal. The items themselves are
// not logged: what they hold is nobody's business here.
type laneLog[T any] struct {
	log         *zap.Logger
	isOthers    bool // somebody else records what became of items
	deadLetters bool // failures are told of as such
}

func newLaneLog[T any](log *zap.Logger, lane string, isOthers bool) *laneLog[T] {
	if log == nil {
		log = zap.NewNop()
	}
	return &laneLog[T]{log: log.Named("pool").With(zap.String("lane", lane)), isOthers: isOthers}
}

func (l *laneLog[T]) options() []pool.LaneOption[T] {
	if !l.log.Core().Enabled(zap.ErrorLevel) {
		return nil
	}
	opts := []pool.LaneOption[T]{pool.WithReplay[T](l.replay), pool.WithBurial[T](l.burial)}
	if !l.isOthers {
		opts = append(opts, pool.WithFailure(l.failure))
	}
	return opts
}

func (l *laneLog[T]) failure(_ context.Context, r pool.Result[T]) {
	if l.deadLetters {
		return
	}
	fields := []zap.Field{zap.Int("attempts", r.Attempts), zap.Error(r.Err)}
	l.log.Warn("item failed for good", append(fields, keyFields(r.Key)...)...)
}

func (l *laneLog[T]) burial(b pool.Burial) {
	fields := []zap.Field{zap.String("id", b.ID), zap.String("reason", string(b.Reason)), zap.Int("attempts", b.Attempts)}
	fields = append(fields, keyFields(b.Key)...)
	switch {
	case b.Err != nil:
		l.log.Error("a dead letter could not be written, and will be tried again",
			append(fields, zap.Error(b.Err), zap.NamedError("cause", b.Cause))...)
	case !l.isOthers:
		l.log.Warn("dead letter", append(fields, zap.Error(b.Cause))...)
	}
}

func (l *laneLog[T]) replay(r pool.Replay) {
	fields := []zap.Field{zap.Int("entered", r.Entered), zap.Int("left", r.Left), zap.Duration("took", r.Took)}
	if r.Unreadable > 0 {
		fields = append(fields, zap.Int("unreadable", r.Unreadable))
	}
	switch {
	case r.Err != nil:
		l.log.Warn("replay: it ended before its time, and what is left stays in the journal", append(fields, zap.Error(r.Err))...)
	case r.Over && r.Unreadable > 0:
		l.log.Warn("replay: done, but for items that cannot be read", fields...)
	case r.Over:
		l.log.Info("replay: done", fields...)
	case r.Took == 0:
		l.log.Info(fmt.Sprintf("replaying %d items of an earlier life", r.Left))
	default:
		l.log.Info("replay: still going on", fields...)
	}
}
