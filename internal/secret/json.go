package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON encodes a value with its secrets hidden: what stands under a key that
// sounds like one, numbers too, and what texts have, keys among them. Fields
// keep their order. shows says which keys are none though they sound like one;
// nil: none. What cannot be encoded, or panics at it, is an error.
func JSON(v any, shows func(key string) bool) (json.RawMessage, error) {
	return hidden(v, false, shows)
}

// Hide is JSON of a value that is a secret: every text and number of it is
// hidden.
func Hide(v any) (json.RawMessage, error) { return hidden(v, true, nil) }

func hidden(v any, all bool, shows func(key string) bool) (raw json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			raw, err = nil, fmt.Errorf("panic while it was encoded: %v", p)
		}
	}()
	open, err := encode(v)
	if err != nil {
		return nil, err
	}
	c := copier{dec: json.NewDecoder(bytes.NewReader(open)), shows: shows}
	c.dec.UseNumber()
	if err := c.value(all); err != nil {
		return nil, err
	}
	return c.out.Bytes(), nil
}

// encode leaves < and & readable: nobody puts these texts into a page without
// a parser.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// copier copies JSON token by token.
type copier struct {
	dec   *json.Decoder
	out   bytes.Buffer
	shows func(key string) bool
}

// value copies one value.
func (c *copier) value(hide bool) error {
	token, err := c.dec.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		return c.many(t, hide)
	case string:
		if hide && t != "" {
			t = Hidden
		}
		return c.put(Text(t))
	case json.Number:
		if hide {
			return c.put(Hidden)
		}
		c.out.WriteString(t.String())
		return nil
	default: // true, false, null
		return c.put(t)
	}
}

// many copies the rest of an object or a list.
func (c *copier) many(open json.Delim, hide bool) error {
	c.out.WriteString(open.String())
	for first := true; c.dec.More(); first = false {
		if !first {
			c.out.WriteByte(',')
		}
		hidden := hide
		if open == '{' {
			token, err := c.dec.Token()
			if err != nil {
				return err
			}
			key, _ := token.(string) // JSON has no others
			if err := c.put(Text(key)); err != nil {
				return err
			}
			c.out.WriteByte(':')
			hidden = hide || Key(key) && (c.shows == nil || !c.shows(key))
		}
		if err := c.value(hidden); err != nil {
			return err
		}
	}
	end, err := c.dec.Token()
	if err != nil {
		return err
	}
	fmt.Fprint(&c.out, end)
	return nil
}

func (c *copier) put(v any) error {
	raw, err := encode(v)
	c.out.Write(raw)
	return err
}
