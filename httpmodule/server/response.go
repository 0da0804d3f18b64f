package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// response is the writer handlers get. It sends clients away during a drain,
// keeps the write timeout moving, and notes what became of the reply. Only
// the handler's goroutine uses it.
type response struct {
	http.ResponseWriter
	req *request

	status   int  // 0 until the header is written
	header   bool // the handler has asked for it
	hijacked bool

	extended time.Time // when the write deadline was last moved
}

// Unwrap is for [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Header is [http.ResponseWriter].
func (w *response) Header() http.Header {
	w.header = true
	return w.ResponseWriter.Header()
}

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
	// net/http copies a header that was asked for, so we ask only if we must.
	if w.header && eventStream(w.ResponseWriter.Header().Get("Content-Type")) {
		w.req.endless.Store(true)
	}
	// Asked now and not when the request came: it may have run for long.
	if status != http.StatusSwitchingProtocols && w.req.server.leaving() {
		w.ResponseWriter.Header().Set("Connection", "close")
	}
}

// eventStream looks no further than it must: mime would parse, and allocate
// for, the type of every reply.
func eventStream(contentType string) bool {
	const want = "text/event-stream"
	contentType = strings.TrimLeft(contentType, " \t")
	return len(contentType) >= len(want) && strings.EqualFold(contentType[:len(want)], want) &&
		strings.IndexAny(contentType[len(want):]+";", "; \t") == 0
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

// WriteString is [io.StringWriter]: without it, io.WriteString would copy.
func (w *response) WriteString(text string) (int, error) {
	inner, ok := w.ResponseWriter.(io.StringWriter)
	if !ok || !w.req.http1() {
		return w.Write([]byte(text)) //nolint:gocritic // what it proposes is this method
	}
	w.begin(http.StatusOK)
	return inner.WriteString(text)
}

// ReadFrom keeps sendfile, where the connection keeps the write timeout.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	inner, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok || !w.req.http1() {
		return io.Copy(struct{ io.Writer }{w}, src)
	}
	w.begin(http.StatusOK)
	return inner.ReadFrom(src)
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
		w.req.ownDeadline()
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
	w.req.ownDeadline()
	w.req.ownWrite = true
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(t)
}

// extend moves the write deadline where the connection does not do it: HTTP/2
// has one for each stream. At most four times within the timeout, for each
// move is a message to the goroutine of the connection.
func (w *response) extend() {
	d := w.req.server.cfg.WriteTimeout
	if d <= 0 || w.req.http1() {
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
