package deadletter

import (
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Format is the form of a file of letters.
type Format string

// The formats.
const (
	// JSONL has an object in each line.
	JSONL Format = "jsonl"
	// CSV has a header and a row for each letter; see the package comment for
	// what a spreadsheet is kept from doing.
	CSV Format = "csv"
)

// ParseFormat reads "jsonl" or "csv".
func ParseFormat(text string) (Format, error) {
	switch f := Format(strings.ToLower(text)); f {
	case JSONL, CSV:
		return f, nil
	}
	return "", fmt.Errorf("format: is %q; give %s or %s", text, CSV, JSONL)
}

// FormatOf tells the format by the name of a file: .csv, .jsonl or .ndjson.
func FormatOf(name string) (Format, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return CSV, nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	}
	return "", fmt.Errorf("format: the name %q does not tell it; end it with .csv or .jsonl, or say which it is", name)
}

// ContentType is what HTTP calls the format.
func (f Format) ContentType() string {
	if f == CSV {
		return "text/csv; charset=utf-8"
	}
	return "application/jsonl"
}

// The encodings of a payload in a file.
const (
	asText   = "text"
	asBase64 = "base64"
)

// encodePayload gives the payload as text, if it comes back from a file as it
// is.
func encodePayload(p []byte) (encoding, text string) {
	if encoding = encodingOf(p); encoding == asText {
		return asText, string(p)
	}
	return asBase64, base64.StdEncoding.EncodeToString(p)
}

func encodingOf(p []byte) string {
	if isText(p) {
		return asText
	}
	return asBase64
}

// isText reports whether p is UTF-8 without controls but for tabs and line
// feeds. Readers of CSV take carriage returns away.
func isText(p []byte) bool {
	for _, b := range p {
		if b < ' ' && b != '\t' && b != '\n' || b == 0x7f {
			return false
		}
	}
	return utf8.Valid(p)
}

var errNotUTF8 = errors.New(`is not UTF-8; save the file as "CSV UTF-8"`)

func decodePayload(encoding, text string) ([]byte, error) {
	switch encoding {
	case "", asText:
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("payload: %w", errNotUTF8)
		}
		return bytesOf(text), nil
	case asBase64:
		p, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("payload: is not base64 (%w); mend it, or write it as text and say so in the column encoding", err)
		}
		return bytesOf(string(p)), nil
	}
	return nil, fmt.Errorf("encoding: is %q; give %s or %s", encoding, asText, asBase64)
}

// encodedName begins the name of something, an id or a key, that would not come
// back from a file as it is.
const encodedName = "base64:"

func encodeName(name string) string {
	if isText([]byte(name)) && !strings.HasPrefix(name, encodedName) {
		return name
	}
	return encodedName + base64.StdEncoding.EncodeToString([]byte(name))
}

func decodeName(field, text string) (string, error) {
	code, ok := strings.CutPrefix(text, encodedName)
	if !ok {
		return text, nil
	}
	name, err := base64.StdEncoding.DecodeString(strings.TrimSpace(code))
	if err != nil {
		return "", fmt.Errorf("%s: is not base64 (%w); mend what comes after %q", field, err, encodedName)
	}
	return string(name), nil
}

// bytesOf is nil for an empty text, as a payload that came from a journal is.
func bytesOf(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}
