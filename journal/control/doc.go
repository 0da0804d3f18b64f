// Package control is what a running service answers about its journals: to
// the person at a terminal on the same machine, who may not touch the directory
// while the service holds it.
//
//	             <dir>/control.sock
//	lastcall ───────────────────────▶ GET  /journals                    what is in them
//	(Client)      unix, HTTP          GET  /journals/entries?name=NAME  the entries of one
//	                                  …    /deadletters…                see package deadletter
//
// The service serves it for as long as it holds the directory:
//
//	ln, err := control.Listen(dir)
//	err = control.Serve(ctx, ln, control.Handler(directory, box))
//
// Nobody is asked who they are: the socket can be opened by its owner alone.
// Where the same [Handler] is mounted elsewhere, that is the place to ask.
//
// # Concurrency and stopping
//
// Requests run beside the service's work. [Serve] has the only goroutines. When
// its context ends, requests under way are told by theirs, and it waits for them,
// for a second: one that has not ended then, as when a component does not heed
// the context of a redrive, is left behind, and Serve says so.
package control
