package lifecycle

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestReceiptJSON(t *testing.T) {
	t.Parallel()

	t.Run("EveryFieldComesBack", func(t *testing.T) {
		t.Parallel()
		r := &Receipt{}
		fill(t, reflect.ValueOf(r).Elem(), 0)
		text, err := json.Marshal(r)
		require.NoError(t, err)
		read := &Receipt{}
		require.NoError(t, json.Unmarshal(text, read))
		assert.Equal(t, r, read)
	})

	t.Run("DurationsSayTheirUnitAndAreNotRounded", func(t *testing.T) {
		t.Parallel()
		text, err := json.Marshal(StageReport{Name: "quiet", At: 1200 * time.Millisecond})
		require.NoError(t, err)
		assert.JSONEq(t, `{"name":"quiet","reached":false,"at":"1.2s"}`, string(text))
		rapid.Check(t, func(t *rapid.T) {
			d := durationText(rapid.Int64().Draw(t, "nanoseconds"))
			text, err := d.MarshalText()
			require.NoError(t, err)
			var read durationText
			require.NoError(t, read.UnmarshalText(text))
			assert.Equal(t, d, read)
		})
	})

	t.Run("ErrorsMatchAsBefore", func(t *testing.T) {
		t.Parallel()
		for want, errs := range map[int][]error{
			ExitClean:      nil,
			ExitHookFailed: {errors.New("broken")},
			ExitWorkLost:   {errors.New("broken"), &HookError{Component: "pool", Err: ErrWorkLost}},
		} {
			r := &Receipt{Cause: Cause{Kind: CauseStop}, errs: errs}
			text, err := json.Marshal(r)
			require.NoError(t, err)
			read := &Receipt{}
			require.NoError(t, json.Unmarshal(text, read))
			assert.Equal(t, want, read.ExitCode())
			assert.Equal(t, r.String(), read.String())
		}
	})

	t.Run("WhatItIsNotIsAnError", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{`{"took":3}`, `{"cause":"SIGTERM"}`, `{"components":[{"band":"brass"}]}`, `{"stages":[{"at":"soon"}]}`} {
			require.Error(t, json.Unmarshal([]byte(text), &Receipt{}), text)
		}
	})
}

// fill puts something into every exported field, so that one that is new and
// does not come back is noticed.
func fill(t *testing.T, v reflect.Value, depth int) {
	t.Helper()
	switch to := v.Addr().Interface().(type) {
	case *time.Time:
		*to = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
		return
	case *Band:
		*to = Sink
		return
	case *error:
		*to = errors.New("broken")
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(t, v.Field(i), depth)
			}
		}
	case reflect.Pointer:
		if depth < 2 { // a receipt may hold a run, which may hold a receipt
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), depth)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1234567891)
	case reflect.Uint64:
		v.SetUint(7)
	default:
		require.Failf(t, "fill knows it not", "%s", v.Type())
	}
}
