package modules

import (
	"context"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/actuator/alarm"
)

// logSink writes alarms into the log, without the statistics, which are long:
// /alarms has them.
type logSink struct{ *zap.Logger }

// Send implements [alarm.Sink].
func (l logSink) Send(_ context.Context, m alarm.Message) error {
	for _, n := range m.Notices {
		level := zap.InfoLevel
		if n.State == alarm.Raised {
			level = zap.WarnLevel
		}
		fields := []zap.Field{
			zap.String("component", n.Component), zap.String("alarm", n.Alarm),
			zap.Float64("value", n.Value), zap.Float64("threshold", n.Threshold), zap.String("unit", n.Unit),
			zap.Time("at", n.At),
		}
		if n.Ledger != nil {
			fields = append(fields, zap.Stringer("work", *n.Ledger))
		}
		l.WithOptions(zap.WithCaller(false)).Log(level, "alarm "+string(n.State)+": "+n.Text, fields...)
	}
	return nil
}

// String says where it goes.
func (l logSink) String() string { return "log" }
