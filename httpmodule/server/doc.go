// Package server is an HTTP server that stops without failing a request.
//
// It is [http.Server] with safe limits, a gate (package intake) in front of
// the handler, and another way to stop. [http.Server.Shutdown] closes idle
// keep-alive connections at once; a POST that is on its way on such a
// connection fails, and clients do not send it again. This server makes the
// client leave first.
//
// # The stop
//
//	Stop(ctx)
//	  │ readiness false
//	  │ drain.delay             everything is served as before
//	  ▼
//	listener released           new connections go to the successor; what comes
//	  │                         on the connections we have is still accepted
//	  │ Connection: close on every reply (HTTP/2: GOAWAY)
//	  │ Draining(ctx) is closed: streams and hijacked connections are told
//	  ▼
//	wait until no HTTP/1 connection is left
//	  │   in a request          waited for
//	  │   never sent a byte     closed after half a second of silence
//	  │   silent keep-alive     closed after drain.idle_grace of silence
//	  │   stream, hijacked      closed drain.stream_grace after it was told
//	  ▼
//	http.Server.Shutdown        GOAWAY to the HTTP/2 connections that are left
//	  ▼
//	wait until no connection and no request is left
//	  ▼
//	gate draining, then closed                               Stop returns nil
//
// Where ctx ends, or stop_budget is over, on the way, the gate drains at once: a request that comes
// later on an old connection gets 503, Retry-After and Connection: close,
// unless its context carries lineage. The requests that still run have their
// contexts cancelled with [ErrCut] as the cause, get a few milliseconds to
// answer, and are then cut off. Stop returns a [*StopError] that names each.
//
// # Pausing
//
// While the gate is paused ([intake.Gate.Pause]) the listener stays, and a
// request that comes gets 503, Retry-After and Connection: close. Those in flight
// end, with Connection: close; streams and hijacked connections are told by
// [Draining], but none is ended. When the gate is open again requests are served
// as before, on new connections and on those that have said nothing meanwhile.
//
// # What is promised
//
// A request whose first byte has reached this machine before its connection
// is closed is served, and its reply is written. What no HTTP/1 server can
// promise: a request that leaves the client in the same instant in which the
// close of a connection that was silent for all of drain.idle_grace leaves
// the server. It never reaches a handler, so it is never half done; the
// client sees the connection end before the first byte of a reply. To give
// that instant the least length, the connection is not closed from outside:
// its own reader is woken, looks at the socket a last time, serves what it
// finds, and closes only if there is nothing.
//
// On HTTP/2 the GOAWAY tells the client which requests were taken; it sends
// the others again by itself, unless it cannot produce their bodies twice.
//
// # The ledger
//
// A request is accepted when the gate lets it in, before the handler sees it.
// It is done when the handler returned and the status is below 500, and
// failed when the status is 500 or above, the handler panicked or aborted, or
// the request was cut at the deadline of a stop. A failed request is never
// lost: its caller saw a 5xx or a broken connection, and panics and cuts are
// reported by name. A stream that ends because it was told to is done.
//
// # Concurrency
//
// Everything exported is safe for concurrent use. [New] starts no goroutine;
// [Server.Start] starts one that accepts, net/http one for each connection,
// and [Server.Stop] waits for all that end. A handler that ignores its
// context outlives a stop whose time is up; it is named in the error.
//
// # What a request costs
//
// Beside net/http with the same timeouts a request costs two allocations (560
// bytes), and 2 to 4 % of the processor time of a "hello" on the loopback
// interface. What profiles taught:
//
//   - Allocations were half of the cost, and the collector's work another part.
//     So all that a request needs is one struct, which is its context too; the
//     end of that context, which few handlers ask for, is made by the first who
//     does. The other allocation is the copy of the [http.Request]: net/http
//     has no other way to give a handler a context. To put both into one saved
//     nothing that could be measured.
//   - Calls into the poller come next. net/http sets and clears the write
//     deadline around each reply; ours slides with the writes of the
//     connection, and is moved a few times a minute at most. The read timeout
//     net/http lifts by itself when the body has been read.
//   - A header that was asked for is copied by net/http, and io.WriteString to
//     a writer without WriteString copies: small things, on every request.
//   - The gate's and the list's locks do not show.
//
// # Tuning
//
// Keep idle_timeout above the idle timeout of the load balancer in front:
// otherwise it sends requests on connections that are being closed. A drain
// takes about drain.idle_grace when clients keep silent connections, so a
// longer one makes the stop slower and clients with long pauses safer.
//
// # Testing
//
// Give a listener on port 0 with [WithListener], or configure addr
// "127.0.0.1:0" and ask [Server.Addr]. A Server is an [http.Handler], so gate
// and limits can be tested without a port, with net/http/httptest.
package server
