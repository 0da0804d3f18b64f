// Package protocodec writes protobuf messages into journals. It is a room of
// its own so that only those who use protobuf depend on it.
package protocodec

import (
	"google.golang.org/protobuf/proto"

	"github.com/lastcall-go/lastcall/journal"
)

// Of is the codec of a message, in version 0: protobuf has its own way with
// older forms.
//
//	pool.WithCodec(protocodec.Of[*pb.SMS]())
func Of[M proto.Message]() journal.Codec[M] {
	return journal.Codec[M]{
		Name:   "protobuf",
		Encode: func(dst []byte, m M) ([]byte, error) { return proto.MarshalOptions{}.MarshalAppend(dst, m) },
		Decode: func(payload []byte, _ int) (M, error) {
			var none M
			m := none.ProtoReflect().New().Interface().(M)
			return m, proto.Unmarshal(payload, m)
		},
	}
}
