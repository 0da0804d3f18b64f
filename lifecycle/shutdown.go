package lifecycle

import (
	"go.uber.org/fx"
)

// shutdowner is what the Shutdowner has become where [Module] is given.
type shutdowner interface {
	shutdown(cause error, opts []fx.ShutdownOption) error
}

// Shutdown asks the application to stop and says why: the cause is in the log
// and in the receipt. A cause that is an error of a component (a server that
// can serve no more) makes the exit code 3 unless opts give one. Where
// [Module] is not given the cause is dropped.
//
// It returns at once. The first request decides; later ones are recorded.
func Shutdown(sd fx.Shutdowner, cause error, opts ...fx.ShutdownOption) error {
	if s, ok := sd.(shutdowner); ok {
		return s.shutdown(cause, opts)
	}
	return sd.Shutdown(opts...)
}
