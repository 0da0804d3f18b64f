package actuator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// mediaTypes are what JSON can come as, the one we like best first. The bodies
// are the same.
var mediaTypes = []string{
	"application/vnd.spring-boot.actuator.v3+json",
	"application/vnd.spring-boot.actuator.v2+json",
	"application/json",
}

// textMedia is text for a person, beside JSON or instead.
var textMedia = []string{"text/plain"}

// reply writes v as JSON. What has been done is told in any case: it would be
// taken for undone.
func reply(w http.ResponseWriter, r *http.Request, status int, v any) error {
	media := negotiate(r.Header.Values("Accept"), mediaTypes)
	switch {
	case media != "":
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		media = mediaTypes[0]
	default:
		return problemf(http.StatusNotAcceptable, "this comes as %s; accept one of them", strings.Join(mediaTypes, ", "))
	}
	body, err := encode(v)
	if err != nil {
		return err
	}
	send(w, status, media, body)
	return nil
}

// encode leaves < and & readable: nobody puts these answers into a page
// without a parser.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// send writes a whole answer. A client that has gone is no error of ours.
func send(w http.ResponseWriter, status int, media string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// text writes one line.
func text(w http.ResponseWriter, status int, format string, args ...any) {
	send(w, status, "text/plain; charset=utf-8", fmt.Appendf(nil, format+"\n", args...))
}

// decode reads the JSON body of a request into v. Fields that v does not have
// are refused, so that a typing error is not taken for a wish fulfilled.
func decode(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	var over *http.MaxBytesError
	switch err := dec.Decode(v); {
	case errors.As(err, &over):
		return problemf(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", over.Limit)
	case err != nil:
		return problemf(http.StatusBadRequest, "the body is not the JSON that is wanted here: %s", clip(err.Error()))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return problemf(http.StatusBadRequest, "the body goes on after its JSON; send one value")
	}
	return nil
}

// problem is an answer that says what was wrong and what to do (RFC 9457).
type problem struct {
	Status int
	Detail string
	// More are further members of the answer.
	More map[string]any
}

func problemf(status int, format string, args ...any) *problem {
	return &problem{Status: status, Detail: fmt.Sprintf(format, args...)}
}

func (p *problem) Error() string { return p.Detail }

// refuse answers with what went wrong.
func (a *Actuator) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if !errors.As(err, &p) {
		p = problemf(http.StatusInternalServerError, "%v", err)
	}
	members := map[string]any{
		"type":     "about:blank",
		"title":    http.StatusText(p.Status),
		"status":   p.Status,
		"detail":   a.mask().text(p.Detail),
		"instance": clip(a.mask().text(r.URL.Path)),
	}
	for name, value := range p.More {
		members[name] = value
	}
	body, err := encode(members)
	if err != nil {
		http.Error(w, http.StatusText(p.Status), p.Status)
		return
	}
	send(w, p.Status, "application/problem+json", body)
}

// clip bounds what is said back to a client.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// negotiate chooses from what is offered by the Accept headers: the highest q,
// then what was asked for most precisely, then what is offered first. No
// header accepts anything; "" is nothing that is accepted.
func negotiate(accept, offered []string) string {
	ranges := acceptRanges(accept)
	if len(ranges) == 0 {
		return offered[0]
	}
	best, bestQ, bestFit := "", 0.0, 0
	for _, offer := range offered {
		q, fit := 0.0, 0
		for _, r := range ranges {
			if f := r.fits(offer); f > fit {
				q, fit = r.q, f
			}
		}
		if q > bestQ || q == bestQ && q > 0 && fit > bestFit {
			best, bestQ, bestFit = offer, q, fit
		}
	}
	return best
}

// acceptRange is one of the media types in an Accept header.
type acceptRange struct {
	media string
	q     float64
}

func acceptRanges(accept []string) []acceptRange {
	var ranges []acceptRange
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			media, params, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			q, err := strconv.ParseFloat(params["q"], 64)
			if err != nil || !(q >= 0 && q <= 1) {
				q = 1
			}
			ranges = append(ranges, acceptRange{media, q})
		}
	}
	return ranges
}

// fits says how precisely the range names a media type: 0 is not at all.
func (r acceptRange) fits(media string) int {
	switch r.media {
	case media:
		return 3
	case "application/*":
		return 2
	case "*/*":
		return 1
	default:
		return 0
	}
}
