package journal

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
)

// Codec turns work into the payload of an entry and back. [JSON] is the
// default of every component; another is made by filling in the fields. Its
// functions must be safe for concurrent use.
type Codec[T any] struct {
	// Name is written beside each payload: one that was written by a codec of
	// another name is not decoded.
	Name string
	// Version is written beside each payload, and given to Decode: raise it
	// when the form of T changes, and let Decode read the older ones.
	Version int
	// Encode returns the payload of v, best appended to dst, which saves an
	// allocation.
	Encode func(dst []byte, v T) ([]byte, error)
	// Decode reads a payload that was written by this version or another. It
	// must not keep the slice.
	Decode func(payload []byte, version int) (T, error)

	loses error // what does not come back; see JSON
}

// Validate reports what is missing.
func (c Codec[T]) Validate() error {
	var errs []error
	if c.Name == "" {
		errs = append(errs, errors.New("name: is empty; it is written beside each payload"))
	}
	if c.Encode == nil {
		errs = append(errs, errors.New("encode: is nil; give a function"))
	}
	if c.Decode == nil {
		errs = append(errs, errors.New("decode: is nil; give a function"))
	}
	return errors.Join(errs...)
}

// JSON is the codec of encoding/json, in version 0. Fields that are added to T
// later are zero in what was written before; unknown ones are ignored.
//
// Text that is not UTF-8 is refused, as JSON would replace it. A number in an
// any comes back as a float64.
//
// A T of which JSON would lose something, such as a field that is not
// exported, is refused by [Keeper.Open], with its name. One that is left out on
// purpose has the tag json:"-".
func JSON[T any]() Codec[T] {
	return Codec[T]{
		Name:  "json",
		loses: jsonLoses[T](),
		Encode: func(dst []byte, v T) ([]byte, error) {
			text, err := json.Marshal(v)
			if err == nil && replaced(text) {
				err = errNotUTF8
			}
			return append(dst, text...), err
		},
		Decode: func(payload []byte, _ int) (v T, err error) {
			err = json.Unmarshal(payload, &v)
			return v, err
		},
	}
}

var errNotUTF8 = errors.New("it has text that is not UTF-8; put it into a []byte, or give a codec of your own")

// replaced reports whether json.Marshal has put replacement characters into the
// text: it writes those as escapes, and one that was there as it is.
func replaced(text []byte) bool {
	const escape = `\ufffd`
	for i := bytes.Index(text, []byte(escape)); i >= 0; {
		slashes := 0
		for slashes < i && text[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return true
		}
		next := bytes.Index(text[i+1:], []byte(escape))
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// Text is the codec of types with a text form of their own, in version 0:
//
//	journal.Text[netip.Addr]()
func Text[T encoding.TextMarshaler, P interface {
	*T
	encoding.TextUnmarshaler
}]() Codec[T] {
	return Codec[T]{
		Name: "text",
		Encode: func(dst []byte, v T) ([]byte, error) {
			text, err := v.MarshalText()
			return append(dst, text...), err
		},
		Decode: func(payload []byte, _ int) (v T, err error) {
			err = P(&v).UnmarshalText(payload)
			return v, err
		},
	}
}

// decode reads what a codec of this name has written.
func (c Codec[T]) decode(name string, version int, payload []byte) (v T, err error) {
	if name != c.Name {
		return v, fmt.Errorf("it was written by the codec %q, and %q is to read it", name, c.Name)
	}
	defer func() { // a payload that makes a decoder panic must not end the start
		if p := recover(); p != nil {
			err = fmt.Errorf("the codec %s panicked: %v", name, p)
		}
	}()
	return c.Decode(payload, version)
}

// encode is Encode with its panic, if there is one, as an error.
func (c *Codec[T]) encode(dst []byte, v T) (whole []byte, err error) {
	defer c.caught(&err)
	whole, err = c.Encode(dst, v)
	if err != nil {
		return nil, c.failed(err)
	}
	return whole, nil
}

// caught is deferred by what calls Encode: its panic becomes an error.
func (c *Codec[T]) caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: the codec %s panicked: %v", errUnwritable, c.Name, p)
	}
}

func (c *Codec[T]) failed(err error) error {
	return fmt.Errorf("%w: the codec %s: %w", errUnwritable, c.Name, err)
}
