package app

import (
	"os"
	"sync"

	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"github.com/lastcall-go/lastcall/internal/secretlog"
)

// eventLog writes Fx's events through zap: what goes on at debug level, what
// goes wrong at error level. Hooks are logged by the conductor, by their true
// names. Until the graph has given a logger, events are kept.
type eventLog struct {
	mu   sync.Mutex
	kept []fxevent.Event
	zap  *fxevent.ZapLogger
}

func newEventLog() *eventLog { return &eventLog{} }

// LogEvent implements [fxevent.Logger].
func (l *eventLog) LogEvent(e fxevent.Event) {
	switch e := e.(type) {
	case *fxevent.Stopped, *fxevent.Stopping, *fxevent.RollingBack, *fxevent.RolledBack:
		return // the conductor says it, and knows more
	case *fxevent.Started:
		if e.Err == nil {
			return
		}
	}
	l.mu.Lock()
	log := l.zap
	if log == nil {
		l.kept = append(l.kept, e)
	}
	l.mu.Unlock()
	if log != nil {
		log.LogEvent(e)
	}
}

// use writes what was kept and everything from now on to log. Fx tells its
// events one after another, this call among them, so that their order is kept.
func (l *eventLog) use(log *zap.Logger) {
	events := &fxevent.ZapLogger{Logger: log.Named("fx")}
	events.UseLogLevel(zapcore.DebugLevel)
	l.mu.Lock()
	kept := l.kept
	l.zap, l.kept = events, nil
	l.mu.Unlock()
	for _, e := range kept {
		events.LogEvent(e)
	}
}

// useFallback is use for an application without a *zap.Logger.
func (l *eventLog) useFallback() *zap.Logger {
	enc := zap.NewProductionEncoderConfig()
	enc.EncodeTime = zapcore.ISO8601TimeEncoder
	enc.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(enc)
	if term.IsTerminal(int(os.Stderr.Fd())) {
		encoder = zapcore.NewConsoleEncoder(enc)
	}
	log := zap.New(zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), zapcore.InfoLevel), secretlog.Hide())
	l.use(log)
	return log
}
