package batchmodule

import "github.com/lastcall-go/lastcall/batchmodule/batch"

// Option adds to a batcher what [Provide] does not take by itself.
type Option[T any] func(*declaration[T])

// Options gives options of the core that need nothing from the graph, such as
// [batch.WithKey]. Where they and another option of [Provide] name the same
// collaborator, theirs counts, unless it is nil.
func Options[T any](opts ...batch.Option[T]) Option[T] {
	return func(d *declaration[T]) { d.core = append(d.core, opts...) }
}

// Named provides the batcher with the name tag `name:"<name>"`, which is
// needed when two batchers have the same type.
func Named[T any]() Option[T] {
	return func(d *declaration[T]) { d.named = true }
}

// SaveWith gives the leftovers of a stop to the function that the constructor
// returns: func(context.Context, []T) error, see [batch.WithSave]. The
// constructor is of the same shapes as the sink's.
func SaveWith[T any](constructor any) Option[T] {
	return func(d *declaration[T]) { d.save = constructor }
}

// DeadLetterWith tells dead letters to the function that the constructor
// returns: func(context.Context, batch.DeadLetter[T]), see
// [batch.WithDeadLetter].
func DeadLetterWith[T any](constructor any) Option[T] {
	return func(d *declaration[T]) { d.dead = constructor }
}

// FlushedWith tells every flush to the function that the constructor returns:
// func(batch.Flush), see [batch.WithFlushed].
func FlushedWith[T any](constructor any) Option[T] {
	return func(d *declaration[T]) { d.flushed = constructor }
}
