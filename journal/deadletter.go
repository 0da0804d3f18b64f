package journal

import (
	"encoding/json"
	"time"
)

// Reason is why a piece of work will not be tried again.
type Reason string

// The reasons that components give.
const (
	// ReasonRetries: it failed as often as it may.
	ReasonRetries Reason = "retries"
	// ReasonPermanent: its handler or sink said that trying again is of no use.
	ReasonPermanent Reason = "permanent"
	// ReasonPanic: its handler panicked.
	ReasonPanic Reason = "panic"
	// ReasonPoison: a batch failed, and this item was found to be the cause.
	ReasonPoison Reason = "poison"
	// ReasonExpired: it was older than it may be when its turn came.
	ReasonExpired Reason = "expired"
	// ReasonUndecodable: its payload could not be read back.
	ReasonUndecodable Reason = "undecodable"
	// ReasonBuried: a person has given it up.
	ReasonBuried Reason = "buried"
)

// Reasons are all of them.
func Reasons() []Reason {
	return []Reason{
		ReasonRetries, ReasonPermanent, ReasonPanic, ReasonPoison, ReasonExpired, ReasonUndecodable, ReasonBuried,
	}
}

// CodecNone is the codec of a letter whose work no codec could write: its
// payload describes it in words.
const CodecNone = "none"

// DeadLetter is a piece of work that could not be done, with all that a person
// needs to find out why and to send it again.
type DeadLetter struct {
	// ID is that of the work.
	ID string `json:"id"`
	// Component is whose work it was: "lane:sms", "batch:orders".
	Component string `json:"component"`
	// Key is that of the work, by which a person finds it again. Keyed says
	// that order matters within it.
	Key    string `json:"key,omitempty"`
	Keyed  bool   `json:"keyed,omitempty"`
	Reason Reason `json:"reason"`
	// Attempts is how often it was tried, in all lives.
	Attempts int `json:"attempts"`
	// Accepted is when the work was accepted (zero: not known), Died when it
	// was given up.
	Accepted time.Time `json:"accepted"`
	Died     time.Time `json:"died"`
	// First and Last are the first and the last error, as text. First is empty
	// where there was one error alone.
	First string `json:"first_error,omitempty"`
	Last  string `json:"last_error,omitempty"`
	// Codec and Version say how to read Payload, which is the work itself.
	Codec   string `json:"codec"`
	Version int    `json:"version,omitempty"`
	Payload []byte `json:"payload"`
	// Seq is the place in the box, which gives it; what [DeadLetters.Put] finds
	// here is ignored.
	Seq uint64 `json:"seq,omitempty"`
}

// Work is the entry of a journal that gives the work back to its component at
// the next start, as new work under the old ID.
func (l *DeadLetter) Work() Entry {
	return Entry{
		ID: l.ID, At: time.Now(), Kind: kindOf(l.Keyed), Key: l.Key,
		Codec: l.Codec, Version: l.Version, Payload: l.Payload,
	}
}

// LetterOf is the letter of work that is given up as its component's journal
// has it; Reason, Died and Last are for the caller to say.
func LetterOf(component string, e *Entry) DeadLetter {
	return DeadLetter{
		ID: e.ID, Component: component, Key: e.Key, Keyed: e.Kind == kindKeyed, Attempts: e.Attempt,
		Accepted: e.At, Codec: e.Codec, Version: e.Version, Payload: e.Payload,
	}
}

// obituary is what an Entry has no field for: the payload of a letter's entry.
type obituary struct {
	Keyed   bool      `json:"keyed,omitempty"`
	Reason  Reason    `json:"reason"`
	Died    time.Time `json:"died"`
	First   string    `json:"first,omitempty"`
	Last    string    `json:"last,omitempty"`
	Codec   string    `json:"codec"`
	Version int       `json:"version,omitempty"`
	Payload []byte    `json:"payload"`
}

const letterCodec = "deadletter"

func (l *DeadLetter) entry() (Entry, error) {
	payload, err := json.Marshal(obituary{l.Keyed, l.Reason, l.Died, l.First, l.Last, l.Codec, l.Version, l.Payload})
	return Entry{
		ID: l.ID, At: l.Accepted, Attempt: l.Attempts, Kind: l.Component, Key: l.Key,
		Codec: letterCodec, Version: 1, Payload: payload,
	}, err
}

// letterOf reads an entry back. One that is no letter becomes one, with the
// entry's bytes as its payload: nothing in the box is kept from its reader.
func letterOf(e Entry) DeadLetter {
	l := DeadLetter{ID: e.ID, Component: e.Kind, Key: e.Key, Attempts: e.Attempt, Accepted: e.At, Seq: e.Seq}
	var o obituary
	o.Reason, o.Codec, o.Version, o.Payload = ReasonUndecodable, e.Codec, e.Version, e.Payload
	if e.Codec == letterCodec {
		var read obituary
		if err := json.Unmarshal(e.Payload, &read); err == nil {
			o = read
		} else {
			o.Last = err.Error()
		}
	}
	l.Keyed, l.Reason, l.Died, l.First, l.Last = o.Keyed, o.Reason, o.Died, o.First, o.Last
	l.Codec, l.Version, l.Payload = o.Codec, o.Version, o.Payload
	return l
}
