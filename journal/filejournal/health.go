package filejournal

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lastcall-go/lastcall/journal"
)

// Damage is a stretch of a journal that could not be read back.
type Damage struct {
	// Journal and Segment say in which file, Offset and Bytes where in it.
	// Bytes is 0 where a part of the file is not there at all.
	Journal string `json:"journal"`
	Segment string `json:"segment"`
	Offset  int64  `json:"offset"`
	Bytes   int64  `json:"bytes"`
	// First and Last are the sequence numbers that are missing; both 0 if
	// none is known to be.
	First uint64 `json:"first,omitempty"`
	Last  uint64 `json:"last,omitempty"`
	// Lost is how many of those were not acknowledged.
	Lost int `json:"lost"`
	// Torn: it is the last frame of the segment that was written last, so
	// most likely one that Append never promised. That is no damage.
	Torn bool `json:"torn"`
	// Reason says what is wrong with it.
	Reason string `json:"reason"`
	// Quarantine is the file that the bytes were copied to; empty if there
	// were none, if that failed, which Reason then says, and in a [View] if
	// no service has opened the journal since.
	Quarantine string `json:"quarantine,omitempty"`
}

func (d Damage) String() string {
	text := fmt.Sprintf("%s at %d: %d bytes: %s", d.Segment, d.Offset, d.Bytes, d.Reason)
	if d.Lost > 0 {
		text += fmt.Sprintf("; entries %s, not acknowledged: %d", journal.Span{First: d.First, Last: d.Last}, d.Lost)
	}
	if d.Quarantine != "" {
		text += "; the bytes are in " + d.Quarantine
	}
	return text
}

// Health is how a journal is, at one moment.
type Health struct {
	// Recovered is how many entries an earlier life has left.
	Recovered int `json:"recovered"`
	// Entries is how many are not acknowledged now.
	Entries int `json:"entries"`
	// Bytes is what the files take, MaxBytes what they may.
	Bytes    int64 `json:"bytes"`
	MaxBytes int64 `json:"max_bytes"`
	// Damage is everything found wrong since the journal was opened, torn
	// ends included.
	Damage []Damage `json:"damage,omitempty"`
	// Fault is why the last write, sync or making of a file failed; nil when
	// one has succeeded since. In JSON it is its text.
	Fault error `json:"-"`
}

// healthFields is [Health] without its methods.
type healthFields Health

// MarshalJSON writes the fault as text.
func (h Health) MarshalJSON() ([]byte, error) {
	fault := ""
	if h.Fault != nil {
		fault = h.Fault.Error()
	}
	return json.Marshal(struct {
		healthFields
		Fault string `json:"fault,omitempty"`
	}{healthFields(h), fault})
}

// Err is nil if all is well. Otherwise it names the fault, and each damage
// with [journal.ErrCorrupt].
func (h Health) Err() error {
	errs := []error{h.Fault}
	for _, d := range h.Damage {
		if !d.Torn {
			errs = append(errs, fmt.Errorf("%w: %s", journal.ErrCorrupt, d))
		}
	}
	return errors.Join(errs...)
}

// Health says how the journal is.
func (j *Journal) Health() Health {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Health{
		Recovered: j.found, Entries: j.live, Bytes: j.bytes, MaxBytes: j.cfg.MaxBytes,
		Damage: append([]Damage(nil), j.damage...), Fault: j.fault,
	}
}
