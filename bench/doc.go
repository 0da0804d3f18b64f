// Command bench measures lastcall beside its peers, in the same run. It is a
// module of its own, so that no peer comes into the module graph of a user.
//
//	make bench                                     everything, from the root of the repository
//	cd bench && go run . -row '^a' -rounds 3       some rows, to the terminal
//	cd bench && go run . -row '^a' -out results    and into a directory of your own
//	cd bench && go run . -short                    whether every row still works; the numbers mean nothing
//	cd bench && go test ./...                      the same, as tests
//
// RESULTS.md holds the last full run, charts/ its drawings.
//
// # To add a row
//
// Write a function that returns a [harness.Row], in a file row<subject>.go,
// and name it in rows.go; the documentation of internal/harness shows both a
// row and a contestant. The tests pick it up. Three rules keep it honest:
//
//  1. A contestant counts what was really done and gives that to Trial.End; a
//     trial that did not do all its work ends the run.
//  2. A peer is set up as somebody would who knows it well, and the table says
//     how. Where its design cannot do what the row asks, the notes say so.
//  3. Set-up and tear-down are outside the measured part, for all or for none.
//
// The pools and how each is opened are in pools.go.
package main
