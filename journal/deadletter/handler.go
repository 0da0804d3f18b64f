package deadletter

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// What one request to a [Handler] may take.
const (
	maxBody = 64 << 20  // of a file, in bytes: it is held in memory
	maxTime = time.Hour // a redrive waits for room in a queue, letter by letter
)

// Handler gives a box over HTTP:
//
//	GET  /deadletters           the letters, as JSONL; format=csv: as CSV
//	POST /deadletters/redrive   Redrive
//	POST /deadletters/drop      Drop
//	POST /deadletters/import    SendBack; the body is a file; format=csv, missing=true
//
// The filter is in the query: component, key, reason, since, until, id (which
// may be repeated), limit. What changes something takes dry_run=true, and wants
// all=true where redrive or drop have no filter. While one request changes the
// box, others that would are refused with 409.
//
// A POST answers in lines of JSON: {"n":1000} as the work goes on, and at the
// end {"summary":{…}}, with an "error" if it was cut short. Errors before that
// have a status of 400 or above and an {"error":"…"}. A GET that fails midway
// ends without an end, as a connection that breaks.
//
// A file has at most 64 MiB, and a request takes at most an hour: send more in
// parts.
//
// It asks nobody who they are: serve it where only those can reach it who may
// read the payloads.
func Handler(box Box) http.Handler { return newHandler(box, maxBody, maxTime) }

func newHandler(box Box, body int64, limit time.Duration) http.Handler {
	h := &handler{box: box, body: body, time: limit, turn: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /deadletters", h.list)
	mux.HandleFunc("POST /deadletters/redrive", h.work(Redrive))
	mux.HandleFunc("POST /deadletters/drop", h.work(Drop))
	mux.HandleFunc("POST /deadletters/import", h.load)
	return mux
}

type handler struct {
	box  Box
	body int64
	time time.Duration
	turn chan struct{} // held by who changes something
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	filter, err := ParseQuery(r.URL.Query())
	format, wrong := ParseFormat(cmp.Or(r.URL.Query().Get("format"), string(JSONL)))
	if err = errors.Join(err, wrong); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.time)
	defer cancel()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.time)) // where it can be set
	w.Header().Set("Content-Type", format.ContentType())
	if _, err := Export(w, format, filter.Of(h.box.All(ctx))); err != nil {
		panic(http.ErrAbortHandler) // so that nobody takes half of them for the whole
	}
}

// work is a handler of something that changes the box.
func (h *handler) work(do func(context.Context, Box, Options) (Summary, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o, err := readOptions(r.URL.Query())
		if err == nil && o.Filter.IsZero() && r.URL.Query().Get("all") != "true" {
			err = errors.New("all: there is no filter; give one, or all=true")
		}
		if err != nil {
			refuse(w, http.StatusBadRequest, err)
			return
		}
		h.run(w, r, o, do)
	}
}

// load reads the file before anything is answered: a server of HTTP/1 does not
// do both at a time.
func (h *handler) load(w http.ResponseWriter, r *http.Request) {
	o, err := readOptions(r.URL.Query())
	format, wrong := ParseFormat(r.URL.Query().Get("format"))
	if err = errors.Join(err, wrong); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.time)) // where it can be set
	var rows []loadedRow
	for row, err := range Import(http.MaxBytesReader(w, r.Body, h.body), format) {
		if big := new(http.MaxBytesError); errors.As(err, &big) {
			refuse(w, http.StatusRequestEntityTooLarge, fmt.Errorf("the file has more than %d bytes; send it in parts", big.Limit))
			return
		}
		if wrong := new(RowError); err != nil && !errors.As(err, &wrong) {
			refuse(w, http.StatusBadRequest, err)
			return
		}
		rows = append(rows, loadedRow{row, err})
	}
	h.run(w, r, o, func(ctx context.Context, box Box, o Options) (Summary, error) {
		return SendBack(ctx, box, func(yield func(Row, error) bool) {
			for _, l := range rows {
				if !yield(l.row, l.err) {
					return
				}
			}
		}, o)
	})
}

type loadedRow struct {
	row Row
	err error
}

func readOptions(q url.Values) (Options, error) {
	f, err := ParseQuery(q)
	o := Options{Filter: f}
	for name, to := range map[string]*bool{"dry_run": &o.DryRun, "missing": &o.Missing} {
		if q.Get(name) == "" {
			continue
		}
		value, wrong := strconv.ParseBool(q.Get(name))
		if wrong != nil {
			err = errors.Join(err, fmt.Errorf("%s: is %q; give true or false", name, q.Get(name)))
		}
		*to = value
	}
	return o, err
}

// event is a line of the answer to a POST.
type event struct {
	N       int      `json:"n,omitempty"`
	Summary *Summary `json:"summary,omitempty"`
	Error   string   `json:"error,omitempty"`
}

const progressEvery = 200 * time.Millisecond

// run does the work, unless another request is changing the box, and tells how
// it goes.
func (h *handler) run(w http.ResponseWriter, r *http.Request, o Options, do func(context.Context, Box, Options) (Summary, error)) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), h.time,
		fmt.Errorf("the request took more than %s; what is left can be sent with another: %w", h.time, context.DeadlineExceeded))
	defer cancel()
	if !o.DryRun {
		select {
		case h.turn <- struct{}{}:
			defer func() { <-h.turn }()
		default: // the other may wait for room in a queue for as long as it likes
			refuse(w, http.StatusConflict, errors.New("another is changing the box; try again when that has ended"))
			return
		}
	}
	w.Header().Set("Content-Type", JSONL.ContentType())
	out, lines := http.NewResponseController(w), json.NewEncoder(w)
	last := time.Now()
	o.Progress = func(n int) {
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			_ = lines.Encode(event{N: n}) // whoever has gone ends the context
			_ = out.Flush()
		}
	}
	s, err := do(ctx, h.box, o)
	end := event{Summary: &s}
	if err != nil {
		end.Error = err.Error()
	}
	_ = lines.Encode(end) // as above
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(event{Error: err.Error()}) // nobody is there to be told
}
