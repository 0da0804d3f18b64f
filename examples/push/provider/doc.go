// Package provider is the other side of the push platform: a provider of
// messages, as an HTTP server that can be told to be slow, to fail and to be
// down, and the client that the platform uses.
//
// # What it promises
//
// A call carries up to some hundred messages, each with an id. A message whose
// id was delivered before is not delivered again: that is how a repetition
// after a crash does no harm. A call is known by its Idempotency-Key: one that
// was answered with nothing refused gets the same answer again. The ids are
// needed beside the key, since after a crash the same messages may come in
// calls that are put together differently.
//
// # What it counts
//
// How often each receiver got which text. Whatever it was told to forget
// ([Behaviour].Deduplicate), [Sum] says how many messages a receiver got twice.
package provider
