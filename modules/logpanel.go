package modules

import (
	"context"
	"fmt"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// The component of the log, and its knob.
const (
	logComponent = "log"
	levelKnob    = "level"
)

// logPanel lets the level be turned.
func logPanel(level zap.AtomicLevel) *lifecycle.Panel {
	return &lifecycle.Panel{
		Kind: "log",
		Knobs: func() []lifecycle.Knob {
			return []lifecycle.Knob{{
				Name: levelKnob, Key: "log.level", Type: lifecycle.ChoiceKnob,
				Help:  "The lowest level that is written.",
				Value: level.Level().String(), Choices: logLevels(),
			}}
		},
		Turn: func(_ context.Context, values map[string]any) error {
			text, _ := values[levelKnob].(string)
			to, err := zapcore.ParseLevel(text)
			if err != nil {
				return fmt.Errorf("%s: %q is unknown; use %s", levelKnob, text, strings.Join(logLevels(), ", "))
			}
			level.SetLevel(to)
			return nil
		},
	}
}

// logLevels are those that a configuration can give, the most talkative first.
func logLevels() []string {
	var levels []string
	for l := zapcore.DebugLevel; l <= zapcore.FatalLevel; l++ {
		levels = append(levels, l.String())
	}
	return levels
}

// rootLogger is the log at /actuator/loggers. Where Logging was left out there
// is no such component, and so no logger in the list.
func (l Log) rootLogger() actuator.Logger {
	return actuator.Logger{Name: "ROOT", Component: logComponent, Knob: levelKnob, Configured: l.Level.String()}
}
