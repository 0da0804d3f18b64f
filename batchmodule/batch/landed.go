package batch

import (
	"slices"
	"strings"
	"time"
)

const (
	// mostLanded is how many flushes are remembered.
	mostLanded = 50
	// mostSaid is how much of a key, or of an error, is remembered.
	mostSaid = 300
)

// Landed is a flush that has ended, as it is remembered for a person.
type Landed struct {
	At      time.Time `json:"at"` // when it ended
	Trigger Trigger   `json:"trigger"`
	// Key is the key of the batch; empty: it has none. A long one is cut.
	Key   string `json:"key,omitempty"`
	Items int    `json:"items"`           // how many the batch held
	Bytes int64  `json:"bytes,omitempty"` // 0 without WithSize
	// Took is from the first call of the sink to the end, waits included.
	Took time.Duration `json:"took"`
	// Attempts are the calls of the sink, also those with a part of the batch.
	Attempts int     `json:"attempts"`
	Outcome  Outcome `json:"outcome"`
	// Error is what was said of it, cut where it is long; empty: every item is
	// Done.
	Error string `json:"error,omitempty"`
}

// Outcome says what came of a flush; of several things the worst.
type Outcome string

// The outcomes of a flush.
const (
	// Delivered: every item is Done.
	Delivered Outcome = "delivered"
	// PartlyFailed: some items became dead letters.
	PartlyFailed Outcome = "partly failed"
	// AllFailed: all items became dead letters.
	AllFailed Outcome = "failed"
	// LeftOver: the end of the stop has left some items over.
	LeftOver Outcome = "left over"
	// ItemsLost: some items became dead letters that nobody has taken.
	ItemsLost Outcome = "lost"
)

func (f *Flush) outcome() Outcome {
	switch {
	case f.Lost > 0:
		return ItemsLost
	case f.Left > 0:
		return LeftOver
	case f.Failed == 0:
		return Delivered
	case f.Failed < f.Items:
		return PartlyFailed
	default:
		return AllFailed
	}
}

// Landed are the last flushes that have ended, up to 50, the latest first.
// Those whose sink has not returned from the cut of a stop are not among them.
// The slice is the caller's.
func (b *Batcher[T]) Landed() []Landed {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := append(make([]Landed, 0, len(b.landed)), b.landed[b.oldest:]...)
	last = append(last, b.landed[:b.oldest]...)
	slices.Reverse(last)
	return last
}

// landed is what is remembered of the flush: texts that hold on to nothing.
func (d *delivery[T]) landed() Landed {
	f := &d.flush
	return Landed{
		At: d.began.Add(f.Took), Trigger: f.Trigger, Key: short(f.Key), Items: f.Items, Bytes: f.Bytes,
		Took: f.Took, Attempts: f.Calls, Outcome: f.outcome(), Error: d.errorText(),
	}
}

// errorText asks the error of the flush what it is, once: it is the user's, and
// may end the goroutine.
func (d *delivery[T]) errorText() string {
	if d.flush.Err != nil && d.text == "" {
		d.text = "an error that cannot be looked at"
		d.text = short(d.b.plain(d.flush.Err).Error())
	}
	return d.text
}

func short(text string) string {
	if len(text) > mostSaid {
		return text[:mostSaid] + " …"
	}
	return strings.Clone(text)
}

// rememberLocked puts it in the place of the oldest.
func (b *Batcher[T]) rememberLocked(l Landed) {
	if len(b.landed) < mostLanded {
		b.landed = append(b.landed, l)
		return
	}
	b.landed[b.oldest] = l
	b.oldest = (b.oldest + 1) % mostLanded
}
