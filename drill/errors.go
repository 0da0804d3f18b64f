package drill

import (
	"errors"
	"fmt"
	"strings"
)

// What a drill finds. The errors of [Run] and [Report.Err] match them.
var (
	// ErrLost: accepted work was not delivered, nor recorded as failed or saved.
	ErrLost = errors.New("accepted work was lost")
	// ErrDuplicated: a kill led to more duplicates than it may.
	ErrDuplicated = errors.New("work was delivered too often")
	// ErrRefusedDelivered: work was delivered that had been refused. Whoever
	// offered it has sent it elsewhere, or will send it again.
	ErrRefusedDelivered = errors.New("refused work was delivered")
	// ErrDied: the program ended before any signal was sent.
	ErrDied = errors.New("the program died by itself")
	// ErrExit: the program ended with a code that the kill does not allow.
	ErrExit = errors.New("unexpected exit code")
	// ErrHung: the program was still there when the grace of the kill had
	// passed. The drill has killed it.
	ErrHung = errors.New("the program did not stop")
	// ErrNotReady: the program did not become ready in time, or could not be
	// started at all. The drill has killed it.
	ErrNotReady = errors.New("the program did not become ready")
	// ErrReceipt: the program's own receipt is missing, does not balance or add
	// up, says that work was lost, counts less than the load saw accepted, or
	// has another exit code than the program.
	ErrReceipt = errors.New("the receipt is wrong")
	// ErrNoWork: nothing was accepted in the whole drill, so it proves nothing.
	// Is Load.Offer speaking to the program?
	ErrNoWork = errors.New("no work was accepted")
	// ErrUnsettled: the program was not left until it had worked off
	// everything, so what is missing may be lost or may still be saved.
	ErrUnsettled = errors.New("the program did not settle")
)

// LifeError is something that went wrong in one life of the program.
type LifeError struct {
	Life int    // its number, from 1
	Kill string // the name of the kill
	// Output is what the program wrote last.
	Output []string
	Err    error
}

func (e *LifeError) Error() string {
	return fmt.Sprintf("life %d (%s): %v%s", e.Life, e.Kill, e.Err, quoted(e.Output))
}

// quoted are the lines of a program behind an error.
func quoted(output []string) string {
	if len(output) == 0 {
		return ""
	}
	return "\n    | " + strings.Join(output, "\n    | ")
}

// Unwrap is what went wrong.
func (e *LifeError) Unwrap() error { return e.Err }
