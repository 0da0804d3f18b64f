package lifecycle

import (
	"go.uber.org/fx"
)

// shutdowner is what the Shutdowner has become where [Module] is given.
type shutdowner interface {
	shutdown(cause Cause, opts []fx.ShutdownOption) error
}

// Shutdown asks the application to stop and says why: the cause is in the log
// and in the receipt. A cause that is an error of a component (a server that
// can serve no more) makes the exit code 3 unless opts give one. Where
// [Module] is not given the cause is dropped.
//
// It returns at once. The first request decides; later ones are recorded.
func Shutdown(sd fx.Shutdowner, cause error, opts ...fx.ShutdownOption) error {
	if s, ok := sd.(shutdowner); ok {
		return s.shutdown(Cause{By: callerOutside(), Err: cause}, opts)
	}
	return sd.Shutdown(opts...)
}

// ShutdownBy asks the application to stop on behalf of somebody outside of it,
// who stands in the log and in the receipt where else the function that asks
// would: "alice (10.0.0.7:51234)". It is a wish and no failure. Else it is
// [Shutdown].
func ShutdownBy(sd fx.Shutdowner, by string, opts ...fx.ShutdownOption) error {
	if s, ok := sd.(shutdowner); ok {
		return s.shutdown(Cause{By: by}, opts)
	}
	return sd.Shutdown(opts...)
}
