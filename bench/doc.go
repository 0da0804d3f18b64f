// Package bench measures lastcall beside its peers, in the same run. It is a
// module of its own, so that no peer comes into the module graph of a user:
//
//	cd bench && go test -bench . -count 5
package bench
