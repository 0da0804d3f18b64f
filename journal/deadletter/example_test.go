package deadletter_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

// A person mends a payload and sends it again.
func Example() {
	ctx := context.Background()
	box := journal.NewDeadLetters(journaltest.NewMemory(0))
	defer func() { _ = box.Close() }()
	err := box.Put(ctx, journal.DeadLetter{
		ID: "m-1", Component: "lane:sms", Reason: journal.ReasonPermanent, Last: "no such receiver",
		Codec: "json", Payload: []byte(`{"to":"Adda"}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer box.Receive("lane:sms", func(_ context.Context, l journal.DeadLetter) error {
		fmt.Println("lane:sms takes", l.ID, string(l.Payload))
		return nil
	}, nil)()

	var file bytes.Buffer
	chosen := deadletter.Filter{Reason: journal.ReasonPermanent}
	if _, err := deadletter.Export(&file, deadletter.CSV, chosen.Of(box.All(ctx))); err != nil {
		fmt.Println(err)
	}
	edited := strings.ReplaceAll(file.String(), "Adda", "Ada")

	sum, err := deadletter.SendBack(ctx, box, deadletter.Import(strings.NewReader(edited), deadletter.CSV), deadletter.Options{})
	n, _ := box.Len(ctx)
	fmt.Println(sum.Done, "sent,", n, "left,", err)
	// Output:
	// lane:sms takes m-1 {"to":"Ada"}
	// 1 sent, 0 left, <nil>
}
