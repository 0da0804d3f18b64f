// Package crashtest holds the promise against real processes: a service made
// of the standard modules is killed under load, stopped too soon, left without
// a disk, and started again, and what it accepted is counted against what
// arrived.
//
//	go test -v ./internal/crashtest
//	LONG_TESTS=1 go test -v -timeout 60m ./internal/crashtest
//
// TestPromise is the table of the README, cell by cell. TestDrill kills at
// random moments, and prints its tables.
package crashtest
