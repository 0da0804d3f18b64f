package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// setLeaf reads a text into a single value. Anything else comes only for an
// "any", from the file.
func setLeaf(raw any, dst reflect.Value) error {
	if dst.Kind() == reflect.Interface {
		dst.Set(reflect.ValueOf(raw))
		return nil
	}
	text := raw.(string)
	if isText(dst.Type()) {
		return setText(text, dst)
	}
	if dst.Kind() == reflect.String {
		dst.SetString(text)
		return nil
	}
	text = strings.TrimSpace(text)
	switch {
	case dst.Type() == reflect.TypeFor[time.Duration]():
		return setDuration(text, dst)
	case dst.Kind() == reflect.Bool:
		return setBool(text, dst)
	case dst.CanFloat():
		return setFloat(text, dst)
	case dst.CanUint():
		return setUint(text, dst)
	default:
		return setInt(text, dst)
	}
}

// setText fills a new value: one that holds a pointer (zap.AtomicLevel) would
// otherwise change the caller's default through it.
func setText(text string, dst reflect.Value) error {
	fresh := reflect.New(dst.Type())
	if err := fresh.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		if strings.Contains(err.Error(), strconv.Quote(text)) {
			return err
		}
		return fmt.Errorf("cannot read %q: %w", text, err)
	}
	dst.Set(fresh.Elem())
	return nil
}

func setDuration(text string, dst reflect.Value) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		if _, number := strconv.ParseFloat(text, 64); number == nil {
			return fmt.Errorf("the duration %s has no unit; write %ss, %sms or %sm", text, text, text, text)
		}
		return fmt.Errorf("cannot read %q as a duration; write it like 30s, 250ms or 1h30m", text)
	}
	dst.SetInt(int64(d))
	return nil
}

func setBool(text string, dst reflect.Value) error {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		dst.SetBool(true)
	case "false", "no", "off", "0":
		dst.SetBool(false)
	default:
		return fmt.Errorf("cannot read %q; write true or false", text)
	}
	return nil
}

// yamlFloat spells infinity and not-a-number as strconv does.
var yamlFloat = strings.NewReplacer(".inf", "inf", ".Inf", "inf", ".INF", "inf", ".nan", "nan", ".NaN", "nan", ".NAN", "nan")

func setFloat(text string, dst reflect.Value) error {
	f, err := strconv.ParseFloat(yamlFloat.Replace(text), dst.Type().Bits())
	if err != nil {
		return fmt.Errorf("cannot read %q as a number", text)
	}
	dst.SetFloat(f)
	return nil
}

func setInt(text string, dst reflect.Value) error {
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		i, err = strconv.ParseInt(text, 0, 64) // 0xff, 1_000
	}
	if err != nil {
		size, ok := parseSize(text)
		if i = int64(size); !ok || i < 0 {
			return badWhole(text)
		}
	}
	if dst.OverflowInt(i) {
		return fmt.Errorf("%s is too large; at most %d bits fit", text, dst.Type().Bits()-1)
	}
	dst.SetInt(i)
	return nil
}

func setUint(text string, dst reflect.Value) error {
	u, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		u, err = strconv.ParseUint(text, 0, 64)
	}
	if err != nil {
		size, ok := parseSize(text)
		if u = size; !ok {
			return badWhole(text)
		}
	}
	if dst.OverflowUint(u) {
		return fmt.Errorf("%s is too large; at most %d bits fit", text, dst.Type().Bits())
	}
	dst.SetUint(u)
	return nil
}

func badWhole(text string) error {
	return fmt.Errorf("cannot read %q as a whole number; write it like 8, or like 4MiB for a size", text)
}

// parseSize reads a number of bytes. The unit must end in B or i (4MiB, 64kB,
// 1Gi): a bare letter is too easily meant otherwise, as in 5m.
func parseSize(text string) (uint64, bool) {
	if !strings.HasSuffix(text, "B") && !strings.HasSuffix(text, "i") {
		return 0, false
	}
	size, err := humanize.ParseBytes(text)
	return size, err == nil
}
