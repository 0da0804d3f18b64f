package actuator

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

const (
	// feedEvery is how often a picture is taken, as long as somebody watches.
	feedEvery = time.Second
	// feedSoon is how soon after something has happened there is one all the
	// same.
	feedSoon = 200 * time.Millisecond
	// feedHealth is how often a component is asked for its health, at most.
	feedHealth = 5 * time.Second
	// feedKept is how many events are kept for a viewer who is slow.
	feedKept = 256
	// feedGoodbye is how long a viewer whose server stops waits for the end.
	feedGoodbye = 20 * time.Millisecond
)

func (a *Actuator) feedEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: "feed", Method: http.MethodGet, Path: "/feed", Answer: feedOnce{}, Media: []string{eventStream},
		Summary: "What a dashboard shows, every second: all components, events, the receipt of the stop. One picture as JSON, a stream as text/event-stream.",
	}, a.feed}}
}

// feedOnce are the first two messages of a feed.
type feedOnce struct {
	Hello   json.RawMessage `json:"hello"`
	Picture json.RawMessage `json:"picture"`
}

// feed sends what happens to one viewer, until the receipt.
//
//	event: hello     once, and again when its legend has grown
//	event: picture   the first is full; the next have those components that have changed
//	event: event     as in /events; those that came after the viewer
//	event: receipt   when the application has stopped
//	event: bye       the last
//
// All viewers share one look at the components: it is taken while there is a
// viewer, and encoded once. A viewer who is slow is waited for by nobody: it
// finds the latest picture when it comes back, and a full one if it has missed
// some.
func (a *Actuator) feed(w http.ResponseWriter, r *http.Request) error {
	// Who does not name the stream gets what ends.
	if negotiate(r.Header.Values("Accept"), append(slices.Clone(mediaTypes), eventStream)) != eventStream {
		l := a.newLook()
		p := l.take()
		return reply(w, r, http.StatusOK, feedOnce{l.hello(), p.body()})
	}
	ctx, s, err := a.openStream(w, r)
	if err != nil {
		return err
	}
	defer s.close()
	if r.Method == http.MethodHead {
		return nil
	}
	v, leave, ok := a.watch()
	if !ok {
		_ = s.writeAll(sse("bye", []byte(`{"text":"the server stops"}`))) // the client may have gone
		return nil
	}
	defer leave()
	silence := time.NewTicker(heartbeat)
	defer silence.Stop()
	for {
		news, changed := v.news()
		if err := s.writeAll(news...); err != nil || v.over {
			return nil
		}
		if len(news) > 0 {
			silence.Reset(heartbeat)
		}
		select {
		case <-changed:
		case <-silence.C:
			err = s.writeAll([]byte(": heartbeat\n\n"))
		case <-ctx.Done():
			v.goodbye(s)
			return nil
		}
		if err != nil {
			return nil
		}
	}
}

// goodbye is for a viewer whose client has gone, which is then not to be
// reached, or whose server stops. That comes with the receipt, or just after it.
func (v *viewer) goodbye(s *sender) {
	ctx, cancel := context.WithTimeout(context.Background(), feedGoodbye)
	defer cancel()
	for s.conductor.Receipt() != nil && !v.over {
		news, changed := v.news()
		if s.writeAll(news...) != nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			_ = s.writeAll(s.lastWords())
			return
		}
	}
	if !v.over {
		_ = s.writeAll(sse("bye", []byte(`{"text":"the server stops"}`)))
	}
}

// lastWords are the receipt and the end.
func (a *Actuator) lastWords() []byte {
	receipt, err := a.mask().json(a.conductor.Receipt())
	if err != nil {
		receipt = []byte(`{}`)
	}
	return append(sse("receipt", receipt), sse("bye", []byte(`{"text":"the application has stopped"}`))...)
}

// sse is one message of a stream; data is JSON, in one line.
func sse(event string, data []byte) []byte {
	message := make([]byte, 0, len(event)+len(data)+len("event: \ndata: \n\n"))
	message = append(append(message, "event: "...), event...)
	message = append(append(message, "\ndata: "...), data...)
	return append(message, "\n\n"...)
}
