// Package secretlog keeps secrets out of a log, as far as [secret.Key] and
// [secret.Text] know them: in messages, in stacks and in fields.
package secretlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/lastcall-go/lastcall/internal/secret"
)

// Hide is an option for a logger. A field without a secret stays as it is.
func Hide() zap.Option {
	return zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		if _, hides := c.(core); hides {
			return c
		}
		return core{c}
	})
}

type core struct{ zapcore.Core }

// With implements [zapcore.Core].
func (c core) With(fields []zap.Field) zapcore.Core { return core{c.Core.With(hidden(fields))} }

// Check implements [zapcore.Core].
func (c core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(e.Level) {
		return ce
	}
	return ce.AddCore(e, c)
}

// Write implements [zapcore.Core]. Who is below is asked only here whether it
// writes: of several, such as a sampler, a tee or hooks, each answers for itself
// and adds itself to the entry.
func (c core) Write(e zapcore.Entry, fields []zap.Field) error {
	e.Message, e.Stack = secret.Text(e.Message), secret.Text(e.Stack)
	if below := c.Core.Check(e, nil); below != nil {
		below.Write(hidden(fields)...)
	}
	return nil
}

// hidden are the fields without secrets. The caller's are not touched.
func hidden(fields []zap.Field) []zap.Field {
	var changed []zap.Field
	for i, f := range fields {
		h, changes := hide(f)
		if !changes {
			continue
		}
		if changed == nil {
			changed = slices.Clone(fields)
		}
		changed[i] = h
	}
	if changed == nil {
		return fields
	}
	return changed
}

// hide is a field without its secret, if it has one.
func hide(f zap.Field) (hidden zap.Field, changed bool) {
	defer func() {
		// A value that panics when it is looked at is the encoder's to tell of.
		if recover() != nil {
			hidden, changed = f, false
		}
	}()
	switch f.Type { //nolint:exhaustive // the others are numbers, times and the like
	case zapcore.NamespaceType, zapcore.SkipType:
		return f, false
	case zapcore.ErrorType:
		return hideText(f, f.Interface.(error).Error())
	case zapcore.StringerType:
		return hideText(f, f.Interface.(fmt.Stringer).String())
	case zapcore.StringType:
		return hideText(f, f.String)
	case zapcore.ByteStringType:
		return hideText(f, string(f.Interface.([]byte)))
	case zapcore.ReflectType, zapcore.ArrayMarshalerType, zapcore.ObjectMarshalerType:
		return hideValue(f)
	}
	return zap.String(f.Key, secret.Hidden), secret.Key(f.Key)
}

func hideText(f zap.Field, text string) (zap.Field, bool) {
	h := secret.Text(text)
	if secret.Key(f.Key) && text != "" {
		h = secret.Hidden
	}
	return zap.String(f.Key, h), h != text
}

// hideValue looks at a value as the encoder would.
func hideValue(f zap.Field) (zap.Field, bool) {
	enc := zapcore.NewMapObjectEncoder()
	f.AddTo(enc)
	open, err := json.Marshal(enc.Fields)
	if err != nil {
		return f, false
	}
	h, err := secret.JSON(json.RawMessage(open), nil)
	if err != nil || bytes.Equal(h, open) {
		return f, false
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(h, &fields); err != nil {
		return f, false
	}
	return zap.Reflect(f.Key, fields[f.Key]), fields[f.Key] != nil
}
