package server

import (
	"bufio"
	"io"
	"mime"
	"net"
	"net/http"
	"time"
)

// piece is how much one write deadline covers.
const piece = 1 << 20

// response is the writer handlers get. It sends clients away during a drain,
// keeps the write timeout moving, and notes what became of the reply. Only
// the handler's goroutine uses it.
type response struct {
	http.ResponseWriter
	req *request

	status   int // 0 until the header is written
	hijacked bool

	extended time.Time // when the write deadline was last moved
}

// Unwrap is for [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	// 1xx but 101 are followed by the real one.
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// begin runs once, before the header goes out.
func (w *response) begin(status int) {
	if w.status != 0 || w.hijacked {
		return
	}
	w.status = status
	h := w.Header()
	if media, _, _ := mime.ParseMediaType(h.Get("Content-Type")); media == "text/event-stream" {
		w.req.endless.Store(true)
	}
	// Asked now and not when the request came: it may have run for long.
	if status != http.StatusSwitchingProtocols && w.req.server.leaving() {
		h.Set("Connection", "close")
	}
}

func (w *response) Write(p []byte) (n int, err error) {
	w.begin(http.StatusOK)
	for {
		w.extend()
		m, err := w.ResponseWriter.Write(p[:min(len(p), piece)])
		n += m
		if p = p[m:]; err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// ReadFrom keeps sendfile. net looks through one LimitedReader only, so one
// that is there already is taken apart.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	inner, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{w}, src)
	}
	w.begin(http.StatusOK)
	limit, limited := src.(*io.LimitedReader)
	for {
		part := &io.LimitedReader{R: src, N: piece}
		if limited {
			part.R, part.N = limit.R, min(piece, limit.N)
		}
		want := part.N
		w.extend()
		m, err := inner.ReadFrom(part)
		n += m
		if limited {
			limit.N -= want - part.N
		}
		if err != nil || part.N > 0 || want == 0 {
			return n, err
		}
	}
}

// Flush is [http.Flusher].
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is Flush for [http.ResponseController].
func (w *response) FlushError() error {
	w.begin(http.StatusOK)
	w.extend()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack is [http.Hijacker]. The connection stays known to the server, which
// closes it at the stop: see [Draining].
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.hijacked = true
		w.req.release()
		w.req.endless.Store(true)
	}
	return nc, rw, err
}

// CloseNotify is for handlers that still insist on it (gin's Stream does).
func (w *response) CloseNotify() <-chan bool {
	//nolint:staticcheck // deprecated, but a writer without it makes them panic
	if cn, ok := w.ResponseWriter.(http.CloseNotifier); ok {
		return cn.CloseNotify()
	}
	return make(chan bool, 1)
}

// SetWriteDeadline is for [http.ResponseController].
func (w *response) SetWriteDeadline(t time.Time) error {
	w.req.mu.Lock()
	defer w.req.mu.Unlock()
	w.req.ownWrite = true
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(t)
}

// extend moves the write deadline, at most four times within the timeout: for
// HTTP/2 each move is a message to the goroutine of the connection.
func (w *response) extend() {
	d := w.req.server.cfg.WriteTimeout
	if d <= 0 {
		return
	}
	if now := time.Now(); now.Sub(w.extended) >= d/4 {
		w.extended = now
		w.req.setWriteDeadline(now.Add(d + d/4))
	}
}

// finish ends the visit of a request whose handler returned.
func (w *response) finish() {
	if !w.hijacked {
		w.begin(http.StatusOK) // net/http writes it, if the handler has not
		w.extend()             // for what is still in the buffer
	}
	if w.status >= http.StatusInternalServerError {
		w.req.visit.Fail()
		return
	}
	w.req.visit.Done()
}
