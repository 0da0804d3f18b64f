package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

// Request is one request in flight, as reports name it.
type Request struct {
	Method string `json:"method"`
	// Route is the pattern that matched ("POST /orders/{id}"). Empty: the
	// server has no [Router], or none matched.
	Route string `json:"route,omitempty"`
	Path  string `json:"path"`
	// Age is for how long it has been served.
	Age time.Duration `json:"age"`
	// Endless: see [Endless].
	Endless bool `json:"endless,omitempty"`
}

// String names the route rather than the path, which may hold what does not
// belong in a log; a route that says nothing ("/") is the exception.
func (r Request) String() string {
	route := r.Route[strings.IndexByte(r.Route, ' ')+1:]
	if route == "" || route == "/" {
		route = r.Path
	}
	return r.Method + " " + route + " (running for " + r.Age.Round(time.Millisecond).String() + ")"
}

// request is one request in flight, and the context of its handler. All that
// a request needs is in this one allocation.
type request struct {
	server *Server
	conn   *conn // nil where the handler is driven without net/http
	began  time.Time

	given *http.Request // as net/http made it; the handler gets a copy
	path  string        // of given when it came: its URL is not a copy

	visit   intake.Visit
	ending  atomic.Pointer[ending]
	over    atomic.Bool // the handler has returned
	endless atomic.Bool

	told bool // of the drain alone: cancelled, because it did not end
	shut bool // of the drain alone: and its connection was closed

	prev, next *request // guarded by requests.mu

	mu       sync.Mutex // guards the write deadline of HTTP/2, which others than the handler move
	released bool       // the writer must not be used any more
	ownWrite bool       // the handler has set a deadline of its own

	writer response
}

type requestKey struct{}

// Draining is closed when the server of the request that ctx belongs to
// begins its drain, or is paused, and wants its clients to go elsewhere. Long
// replies should come to an end then: a stop ends them if they do not, a pause
// waits. It is nil, which blocks for ever, where ctx is not of a
// request. The channel may be kept after the request, for a hijacked
// connection.
func Draining(ctx context.Context) <-chan struct{} {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r.server.telling()
	}
	return nil
}

// Endless declares that the reply to the request has no end of its own, and
// returns [Draining]. A stop does not wait for it: drain.stream_grace after it
// was told, its context is cancelled with [ErrDraining] as the cause, and soon
// after its connection is closed. Replies of the type text/event-stream and
// hijacked connections are endless without saying so.
func Endless(ctx context.Context) <-chan struct{} {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		r.endless.Store(true)
	}
	return Draining(ctx)
}

// setWriteDeadline may be called from any goroutine: net/http lets nobody touch
// its writer once the handler has returned, so they agree under the lock.
func (r *request) setWriteDeadline(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.released && !r.ownWrite {
		_ = http.NewResponseController(r.writer.ResponseWriter).SetWriteDeadline(t)
	}
}

// release ends our use of the writer: the handler has returned or hijacked.
func (r *request) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.released = true
}

// http1 says whether the request has a connection of ours to itself.
func (r *request) http1() bool { return r.conn != nil && !r.conn.h2.Load() }

// ownDeadline ends the sliding of the connection's write deadline.
func (r *request) ownDeadline() {
	if r.http1() {
		r.conn.sliding.Store(false)
	}
}

// disconnect makes every further write fail and tells the client that no more
// will come.
func (r *request) disconnect() {
	if r.http1() {
		_ = r.conn.Close()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.released {
		_ = http.NewResponseController(r.writer.ResponseWriter).SetWriteDeadline(time.Unix(1, 0))
	}
	r.ownWrite = true // nobody may give it more time
}

// snapshot asks the router only now, so that a request costs no second match.
func (r *request) snapshot(now time.Time) Request {
	s := Request{Method: r.given.Method, Path: r.path, Age: now.Sub(r.began), Endless: r.endless.Load()}
	if r.server.router != nil {
		_, s.Route = r.server.router.Handler(&http.Request{Method: r.given.Method, Host: r.given.Host, URL: &url.URL{Path: r.path}})
	}
	return s
}

// requests are the requests in flight: a linked list, so that to come and to go
// costs no allocation and no map.
type requests struct {
	wake chan struct{} // one has ended; capacity 1, never closed

	mu     sync.Mutex
	newest *request
	n      int
}

func (rs *requests) add(r *request) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r.next = rs.newest; r.next != nil {
		r.next.prev = r
	}
	rs.newest = r
	rs.n++
}

func (rs *requests) remove(r *request) {
	rs.mu.Lock()
	if r.prev == nil {
		rs.newest = r.next
	} else {
		r.prev.next = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	}
	r.prev, r.next = nil, nil // a context that is kept must not keep others
	rs.n--
	rs.mu.Unlock()
	select {
	case rs.wake <- struct{}{}:
	default:
	}
}

func (rs *requests) len() int {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.n
}

// list is oldest first.
func (rs *requests) list() []*request {
	rs.mu.Lock()
	list := make([]*request, 0, rs.n)
	for r := rs.newest; r != nil; r = r.next {
		list = append(list, r)
	}
	rs.mu.Unlock()
	slices.SortFunc(list, func(a, b *request) int { return a.began.Compare(b.began) })
	return list
}

func snapshots(list []*request) []Request {
	now := time.Now()
	out := make([]Request, len(list))
	for i, r := range list {
		out[i] = r.snapshot(now)
	}
	return out
}
