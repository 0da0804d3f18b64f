package secretlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/internal/secret"
	"github.com/lastcall-go/lastcall/internal/secretlog"
)

type broken struct{}

func (*broken) Error() string { panic("nobody looks at me") }

func (*broken) String() string { panic("nor so") }

func TestHide(t *testing.T) {
	t.Parallel()
	const dsn = "postgres://me:s3cr3t@db/x"
	write := func(t *testing.T, f func(*zap.Logger)) string {
		t.Helper()
		var out bytes.Buffer
		f(zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg"}), zapcore.AddSync(&out), zap.InfoLevel), secretlog.Hide()))
		return out.String()
	}

	t.Run("WhereverItStands", func(t *testing.T) {
		t.Parallel()
		err := fmt.Errorf("dial %s: %w", dsn, errors.New("refused"))
		for name, field := range map[string]zap.Field{
			"String": zap.String("url", dsn), "Key": zap.String("api_key", "s3cr3t"), "Bytes": zap.ByteString("raw", []byte(dsn)),
			"Error": zap.Error(err), "Stringer": zap.Stringer("v", bytes.NewBufferString(dsn)), "Any": zap.Any("v", err),
			"Struct": zap.Any("v", struct{ URL, Password string }{dsn, "s3cr3t"}), "Map": zap.Any("v", map[string]any{"a": []any{map[string]any{"token": "s3cr3t"}}}),
			"Strings": zap.Strings("v", []string{"a", dsn}), "Errors": zap.Errors("v", []error{err}),
			"Dict": zap.Dict("v", zap.String("password", "s3cr3t")), "Number": zap.Int("pin_secret", 53), "Duration": zap.Duration("token", 53),
		} {
			said := write(t, func(log *zap.Logger) {
				log.Info("hello", zap.Int("n", 7), field, zap.String("last", "x"))
				log.With(field).Info("hello again")
			})
			assert.NotContains(t, said, "s3cr3t", name)
			assert.NotContains(t, said, "53", name)
			assert.Contains(t, said, secret.Hidden, name)
			assert.Contains(t, said, `"n":7`, name)
			assert.Contains(t, said, `"last":"x"`, name)
		}
		assert.NotContains(t, write(t, func(log *zap.Logger) { log.Info("cannot reach " + dsn) }), "s3cr3t")
	})

	t.Run("WhatIsNoneStaysAsItIs", func(t *testing.T) {
		t.Parallel()
		core, seen := observer.New(zap.InfoLevel)
		err := errors.New("refused <&>")
		fields := []zap.Field{
			zap.String("name", "pool:sms"), zap.Error(err), zap.Any("v", map[string]int{"workers": 3}), zap.Time("at", time.Unix(0, 0)),
			zap.Namespace("in"), zap.Skip(), zap.Error(nil), zap.Any("f", (*broken)(nil)), zap.Stringer("s", (*broken)(nil)), zap.Any("c", make(chan int)),
		}
		zap.New(core, secretlog.Hide(), secretlog.Hide()).Info("hello", fields...)
		require.Len(t, seen.All(), 1)
		for i, f := range seen.All()[0].Context {
			assert.True(t, f.Equals(fields[i]), "%v", f)
		}
	})

	t.Run("EachBelowDecidesForItself", func(t *testing.T) {
		t.Parallel()
		all, allSeen := observer.New(zap.DebugLevel)
		few, fewSeen := observer.New(zap.ErrorLevel)
		hooked := 0
		log := zap.New(zapcore.NewTee(all, few), zap.Hooks(func(zapcore.Entry) error { hooked++; return nil }), secretlog.Hide())
		log.Debug("a")
		log.Error("b")
		assert.Equal(t, []int{2, 1, 2}, []int{allSeen.Len(), fewSeen.Len(), hooked})
		sampled, sampledSeen := observer.New(zap.DebugLevel)
		log = zap.New(zapcore.NewSamplerWithOptions(sampled, time.Hour, 2, 0), secretlog.Hide())
		for range 10 {
			log.Info("again")
		}
		assert.Equal(t, 2, sampledSeen.Len())
	})
}
