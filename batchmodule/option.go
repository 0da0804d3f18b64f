package batchmodule

import "github.com/lastcall-go/lastcall/batchmodule/batch"

// Option adds to a batcher what [Provide] does not take by itself.
type Option[T any] func(*settings[T])

type settings[T any] struct {
	tag     string
	core    []batch.Option[T]
	save    any
	dead    any
	flushed any
}

// Options gives options of the core that need nothing from the graph, such as
// [batch.WithKey].
func Options[T any](opts ...batch.Option[T]) Option[T] {
	return func(s *settings[T]) { s.core = append(s.core, opts...) }
}

// Tagged gives the batcher a name tag in the graph, for when two share a type:
// ask for it with `name:"<tag>"`.
func Tagged[T any](tag string) Option[T] {
	return func(s *settings[T]) { s.tag = tag }
}

// SaveWith gives the leftovers of a stop to the function that the constructor
// returns: func(context.Context, []T) error, see [batch.WithSave]. The
// constructor is of the same shapes as the sink's.
func SaveWith[T any](constructor any) Option[T] {
	return func(s *settings[T]) { s.save = constructor }
}

// DeadLetterWith tells dead letters to the function that the constructor
// returns: func(context.Context, batch.DeadLetter[T]), see
// [batch.WithDeadLetter].
func DeadLetterWith[T any](constructor any) Option[T] {
	return func(s *settings[T]) { s.dead = constructor }
}

// FlushedWith tells every flush to the function that the constructor returns:
// func(batch.Flush), see [batch.WithFlushed].
func FlushedWith[T any](constructor any) Option[T] {
	return func(s *settings[T]) { s.flushed = constructor }
}
