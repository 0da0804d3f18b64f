package filejournal_test

import (
	"context"
	"fmt"
	"os"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

func Example() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()

	life := func(work func(journal.Journal) error) {
		d, err := filejournal.Open(filejournal.Config{Dir: dir})
		if err != nil {
			fmt.Println(err)
			return
		}
		j, err := d.Open(ctx, "pool:sms")
		if err == nil {
			err = work(j)
		}
		if err != nil {
			fmt.Println(err)
		}
		if err := d.Close(); err != nil {
			fmt.Println(err)
		}
	}

	life(func(j journal.Journal) error {
		span, err := j.Append(ctx,
			journal.Entry{ID: "m-1", Codec: "json", Payload: []byte(`{"to":"Ada"}`)},
			journal.Entry{ID: "m-2", Codec: "json", Payload: []byte(`{"to":"Bob"}`)},
		)
		if err != nil {
			return err // nothing was accepted
		}
		// Ada's message is sent; then the time to stop is up.
		return j.Ack(ctx, journal.Span{First: span.First, Last: span.First})
	})

	life(func(j journal.Journal) error {
		fmt.Println(j.Len(), "left")
		for e, err := range j.Replay(ctx) {
			if err != nil {
				return err
			}
			fmt.Println(e.ID, string(e.Payload))
			if err := j.Ack(ctx, e.Span()); err != nil {
				return err
			}
		}
		return nil
	})
	// Output:
	// 1 left
	// m-2 {"to":"Bob"}
}

func ExampleDirectory_Guarantee() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	var cfg filejournal.Config
	cfg.Dir = dir
	if err := cfg.Sync.UnmarshalText([]byte("50ms")); err != nil { // as a file says it
		fmt.Println(err)
		return
	}
	d, err := filejournal.Open(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Guarantee())
	fmt.Println(d.Close())
	// Output:
	// kill -9 loses nothing; power loss up to 50ms
	// <nil>
}
