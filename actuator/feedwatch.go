package actuator

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// watches are the viewers of the feed and what they share.
type watches struct {
	mu      sync.Mutex
	viewers int
	now     *watch // nil: nobody watches
}

// watch is what viewers share from when the first comes until the last goes. It
// has two goroutines: one looks at the components, one listens to events, so
// that a panel that hangs keeps no event from anybody.
type watch struct {
	*Actuator
	end      context.CancelFunc
	look     *look         // of the goroutine that looks
	soon     chan struct{} // something has happened: look soon
	heardAll chan struct{} // closed by the one who listens when all events were told

	mu      sync.Mutex
	changed chan struct{} // closed when something below changes, and replaced
	picture *picture      // the latest; nil: there is none yet
	hello   []byte
	hellos  int         // how many there were
	told    []toldEvent // the latest, oldest first
	heard   uint64      // the number of the last event
	last    []byte      // the end; nil: it goes on
}

// toldEvent is an event as it is sent.
type toldEvent struct {
	seq     uint64
	message []byte
}

// watch makes room for one viewer more, who is to leave; false: the actuator
// has been stopped.
func (a *Actuator) watch() (v *viewer, leave func(), ok bool) {
	a.watching.mu.Lock()
	defer a.watching.mu.Unlock()
	if a.watching.now == nil {
		w, ok := a.newWatch()
		if !ok {
			return nil, nil, false
		}
		a.watching.now = w
	}
	a.watching.viewers++
	return a.watching.now.viewer(), a.unwatch, true
}

func (a *Actuator) unwatch() {
	a.watching.mu.Lock()
	defer a.watching.mu.Unlock()
	if a.watching.viewers--; a.watching.viewers == 0 {
		a.watching.now.end()
		a.watching.now = nil
	}
}

func (a *Actuator) newWatch() (*watch, bool) {
	ctx, cancel := context.WithCancel(a.life)
	w := &watch{
		Actuator: a, end: cancel, look: a.newLook(),
		soon: make(chan struct{}, 1), heardAll: make(chan struct{}), changed: make(chan struct{}),
	}
	if events, _ := a.conductor.Events().Since(0); len(events) > 0 {
		w.heard = events[len(events)-1].Seq
	}
	heard := w.heard
	// When the first may run, the second may: both or none, but for a Stop in
	// between, which ends the first.
	if !a.work(func() { w.paint(ctx) }) || !a.work(func() { w.listen(ctx, heard) }) {
		cancel()
		return nil, false
	}
	return w, true
}

// paint takes pictures until nobody watches, or the last one was taken.
func (w *watch) paint(ctx context.Context) {
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		last := over(w.heardAll) // asked first: the picture is of after it
		w.show(w.look.take(), last)
		if last {
			return
		}
		if w.look.no == 1 && w.look.waits {
			w.hurry()
		}
		select {
		case <-tick.C:
		case <-w.soon:
			if !w.pause(ctx) {
				return
			}
			tick.Reset(feedEvery)
		case <-w.heardAll:
		case <-ctx.Done():
			return
		}
	}
}

// pause lets things happen together, and is false when nobody watches any more.
func (w *watch) pause(ctx context.Context) bool {
	timer := time.NewTimer(feedSoon)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.heardAll: // there is no time left
	case <-ctx.Done():
		return false
	}
	return true
}

// listen hears events until nobody watches, or there are none any more.
func (w *watch) listen(ctx context.Context, seq uint64) {
	for {
		events, err := w.conductor.Events().Next(ctx, seq)
		if err != nil {
			if errors.Is(err, io.EOF) {
				close(w.heardAll)
			}
			return
		}
		seq = events[len(events)-1].Seq
		w.tell(events)
		w.hurry()
	}
}

func (w *watch) hurry() {
	select {
	case w.soon <- struct{}{}:
	default: // it is known
	}
}

func (w *watch) tell(events []lifecycle.Event) {
	told := make([]toldEvent, len(events))
	for i, e := range events {
		told[i] = toldEvent{e.Seq, sse("event", w.eventBody(e))}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, told...)
	if n := len(w.told); n > 2*feedKept {
		w.told = slices.Clone(w.told[n-feedKept:])
	}
	w.heard = events[len(events)-1].Seq
	w.wakeLocked()
}

func (w *watch) show(p *picture, last bool) {
	var words []byte
	if last {
		words = w.lastWords()
	}
	hello := w.look.hello()
	w.mu.Lock()
	defer w.mu.Unlock()
	if hello != nil {
		w.hello = sse("hello", hello)
		w.hellos++
	}
	w.picture, w.last = p, words
	w.wakeLocked()
}

func (w *watch) wakeLocked() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// viewer is one of them, and what it has been sent.
type viewer struct {
	*watch
	hadHello, hadPicture int
	hadEvent             uint64
	over                 bool // it has had the last words
}

func (w *watch) viewer() *viewer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &viewer{watch: w, hadEvent: w.heard}
}

// news are what the viewer has not been sent yet, and a channel that is closed
// when there are more. They are the viewer's to send.
func (v *viewer) news() (messages [][]byte, changed <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.hadHello != v.hellos {
		messages, v.hadHello = append(messages, v.hello), v.hellos
	}
	for _, e := range v.told {
		if e.seq > v.hadEvent {
			messages, v.hadEvent = append(messages, e.message), e.seq
		}
	}
	if p := v.picture; p != nil && p.no != v.hadPicture {
		if v.hadPicture > 0 && v.hadPicture == p.no-1 {
			messages = append(messages, p.changes)
		} else {
			messages = append(messages, p.full())
		}
		v.hadPicture = p.no
	}
	if v.last != nil && !v.over {
		messages, v.over = append(messages, v.last), true
	}
	return messages, v.changed
}
