package modules

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"github.com/lastcall-go/lastcall/internal/secretlog"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// Log is the section "log".
type Log struct {
	// Level is the lowest level that is written: debug, info, warn, error.
	// Zero: info.
	Level zapcore.Level `yaml:"level"`
	// Format is json, or console for a person. Zero: console when the
	// standard error is a terminal, else json.
	Format string `yaml:"format"`
}

// Validate reports a format that does not exist.
func (l Log) Validate() error {
	switch l.Format {
	case "", "json", "console":
		return nil
	default:
		return fmt.Errorf("format: %q is unknown; it is json or console", l.Format)
	}
}

func logging() fx.Option { return fx.Provide(newLogger) }

type logIn struct {
	fx.In

	Lifecycle fx.Lifecycle
	Config    Log `optional:"true"`
}

// newLogger writes to the standard error, without what looks like a secret. The level is in the graph too, so
// that it can be changed while running.
func newLogger(in logIn) (*zap.Logger, zap.AtomicLevel) {
	level := zap.NewAtomicLevelAt(in.Config.Level)
	log := zap.New(zapcore.NewCore(in.Config.encoder(), zapcore.Lock(os.Stderr), level), zap.AddCaller(), zap.AddStacktrace(zapcore.PanicLevel), secretlog.Hide())
	lifecycle.Append(in.Lifecycle, lifecycle.Hook{
		Name:  logComponent,
		Band:  lifecycle.Sink,
		Panel: logPanel(level),
		// Flushed as the last of all, whatever happened before.
		PreDestroy: func(context.Context) error { return syncLog(log) },
	})
	return log, level
}

func (l Log) encoder() zapcore.Encoder {
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.ISO8601TimeEncoder
	cfg.EncodeDuration = zapcore.StringDurationEncoder
	person := l.Format == "console" || l.Format == "" && term.IsTerminal(int(os.Stderr.Fd()))
	if !person {
		return zapcore.NewJSONEncoder(cfg)
	}
	cfg.EncodeLevel = zapcore.CapitalLevelEncoder
	cfg.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
	cfg.EncodeCaller = nil
	return zapcore.NewConsoleEncoder(cfg)
}

// syncLog flushes. A terminal or a pipe cannot be synced, and need not be.
func syncLog(log *zap.Logger) error {
	err := log.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTTY) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}
