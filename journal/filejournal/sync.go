package filejournal

import (
	"fmt"
	"time"
)

// Sync says when entries are forced to the disk, and so what they withstand.
// In a configuration file it is "process", "always" or a duration.
type Sync time.Duration

const (
	// SyncProcess never forces: what Append has taken is in the kernel's
	// memory and outlives the process, kill -9 included. A power loss or a
	// crash of the kernel takes what was not written back yet, some 30 s.
	SyncProcess Sync = 0
	// SyncAlways forces before Append returns. Appends that wait at the same
	// time share one call.
	SyncAlways Sync = -1
)

// SyncEvery forces after every d in which something was appended. It
// withstands what SyncProcess does, and a power loss but for the last d. Append
// waits for nothing.
func SyncEvery(d time.Duration) Sync { return Sync(d) }

// String is the text of a configuration file.
func (s Sync) String() string {
	switch s {
	case SyncProcess:
		return "process"
	case SyncAlways:
		return "always"
	default:
		return time.Duration(s).String()
	}
}

// Guarantee says in one sentence what is withstood.
func (s Sync) Guarantee() string {
	switch s {
	case SyncProcess:
		return "kill -9 loses nothing; a power loss, what the kernel has not written back yet (some 30s)"
	case SyncAlways:
		return "neither kill -9 nor a power loss loses anything"
	default:
		return fmt.Sprintf("kill -9 loses nothing; power loss up to %s", time.Duration(s))
	}
}

// MarshalText writes what [Sync.UnmarshalText] reads.
func (s Sync) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads "process", "always" or a duration above zero.
func (s *Sync) UnmarshalText(text []byte) error {
	switch string(text) {
	case "process":
		*s = SyncProcess
	case "always":
		*s = SyncAlways
	default:
		d, err := time.ParseDuration(string(text))
		if err != nil || d <= 0 {
			return fmt.Errorf("cannot read %q; write process, always, or a duration such as 50ms", text)
		}
		*s = Sync(d)
	}
	return nil
}
