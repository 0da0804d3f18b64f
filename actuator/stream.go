package actuator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

const (
	// mostStreams bounds how many watch at a time.
	mostStreams = 256
	// heartbeat is how long a stream may be silent: proxies cut what is idle.
	heartbeat = 15 * time.Second
	// retry is how soon a browser comes back when a stream has ended.
	retry = 2 * time.Second
	// writeTime is how long a client may leave what is written to it unread.
	writeTime = 10 * time.Second
)

// stream sends events until the client goes, the actuator or the server is
// stopped, or the application has stopped and everything was told.
//
//	retry: 2000
//
//	id: 3k2j1-4711.57
//	data: {"seq":57,…}
//
//	: heartbeat                                 every 15 s of silence
//
//	event: missed                               in place of what is not kept any more
//	event: end                                  the last
func (a *Actuator) stream(w http.ResponseWriter, r *http.Request, seq uint64, foreign bool) error {
	ctx, s, err := a.openStream(w, r)
	if err != nil {
		return err
	}
	defer s.close()
	if r.Method == http.MethodHead {
		return nil
	}
	err = s.write("retry: %d\n\n", retry.Milliseconds())
	for err == nil {
		var list []lifecycle.Event
		if list, err = a.next(ctx, seq); err == nil {
			seq, err = s.send(list, seq, foreign)
			foreign = foreign && len(list) == 0
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		_ = s.write("event: end\ndata: {\"text\":\"the application has stopped\"}\n\n") // the client may have gone
	case errors.Is(err, errStopped), ctx.Err() != nil:
		_ = s.write("event: end\ndata: {\"text\":\"the server stops\"}\n\n")
	}
	return nil // the answer has begun: there is no way to say it but in the stream
}

// openStream begins an answer that goes on until ctx ends: with the request, or
// with the actuator. The sender is to be closed, unless there is an error.
func (a *Actuator) openStream(w http.ResponseWriter, r *http.Request) (context.Context, *sender, error) {
	if a.streams.Add(1) > mostStreams {
		a.streams.Add(-1)
		w.Header().Set("Retry-After", "10")
		return nil, nil, problemf(http.StatusServiceUnavailable, "%d streams are open, there can be no more", mostStreams)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	release := context.AfterFunc(a.life, func() { cancel(errStopped) })
	s := &sender{Actuator: a, w: w, control: http.NewResponseController(w), close: func() {
		release()
		cancel(nil)
		a.streams.Add(-1)
	}}
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("X-Accel-Buffering", "no") // nginx keeps an answer back until it is over
	w.WriteHeader(http.StatusOK)
	return ctx, s, nil
}

// next waits for events after seq, for a heartbeat at most: then there are
// none.
func (a *Actuator) next(ctx context.Context, seq uint64) ([]lifecycle.Event, error) {
	beat, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	list, err := a.conductor.Events().Next(beat, seq)
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return list, err
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	default:
		return nil, nil
	}
}

// sender writes to one client.
type sender struct {
	*Actuator
	w       http.ResponseWriter
	control *http.ResponseController
	close   func()
}

// send writes events, or a heartbeat if there are none, and returns the number
// of the last.
func (s *sender) send(list []lifecycle.Event, seq uint64, foreign bool) (uint64, error) {
	if len(list) == 0 {
		return seq, s.write(": heartbeat\n\n")
	}
	if first := list[0].Seq; foreign || seq > 0 && first != seq+1 {
		body, err := encode(s.missed(seq, first, foreign))
		if err != nil {
			return seq, err
		}
		if err := s.write("event: missed\ndata: %s\n\n", body[:len(body)-1]); err != nil {
			return seq, err
		}
	}
	for _, event := range list {
		if err := s.write("id: %s\ndata: %s\n\n", s.eventID(event.Seq), s.eventBody(event)); err != nil {
			return seq, err
		}
		seq = event.Seq
	}
	return seq, nil
}

// eventBody is the JSON of an event, in one line.
func (a *Actuator) eventBody(event lifecycle.Event) []byte {
	body, err := a.mask().json(event)
	if err != nil {
		body, _ = encode(lifecycle.Event{Seq: event.Seq, At: event.At, Kind: event.Kind, Component: event.Component, Text: "it cannot be encoded: " + err.Error()})
		body = body[:len(body)-1]
	}
	return body
}

// write waits for a slow client, but not for long.
func (s *sender) write(format string, args ...any) error {
	return s.writeAll(fmt.Appendf(nil, format, args...))
}

func (s *sender) writeAll(pieces ...[]byte) error {
	// A writer without deadlines or buffers is a test's.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTime))
	for _, piece := range pieces {
		if _, err := s.w.Write(piece); err != nil {
			return err
		}
	}
	if err := s.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
