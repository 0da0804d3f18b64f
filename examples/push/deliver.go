package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall/examples/push/provider"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// delivery sends tasks and records what became of each receiver.
type delivery struct {
	client  *provider.Client
	records *Records
	box     *journal.DeadLetters // nil in the naive flow
}

func newClient(s Settings) *provider.Client {
	return provider.NewClient(s.Provider, 2*len(channels)*len(types))
}

func newDelivery(c *provider.Client, r *Records, box *journal.DeadLetters) *delivery {
	return &delivery{c, r, box}
}

// tries is how often a task is sent, and callTimeout how long one call may
// take.
const (
	tries       = 20
	callTimeout = 8 * time.Second
)

// send makes one call. With an error the lane tries the task again; else every
// receiver of it has the message, or is a dead letter of his own, under his
// own name.
func (d *delivery) send(ctx context.Context, t Task) error {
	call := provider.Call{Channel: t.Channel}
	for _, to := range t.To {
		call.Messages = append(call.Messages, provider.Message{ID: to.Row, To: to.To, Text: t.Text})
	}
	calling, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	results, err := d.client.Send(calling, t.ID, call)
	item, _ := pool.ItemOf(ctx)
	letter := journal.DeadLetter{Reason: journal.ReasonPermanent, Attempts: item.Attempt}
	if err != nil {
		if !errors.Is(err, provider.ErrRefused) {
			letter.Reason = journal.ReasonRetries
		}
		if ctx.Err() != nil || letter.Reason == journal.ReasonRetries && item.Attempt < tries {
			return err
		}
		results = slices.Repeat([]provider.Result{{Refused: err.Error()}}, len(t.To))
	}
	delivered := Event{State: Delivered, Lane: t.lane(), Task: t.ID}
	var refused []Event
	for i, to := range t.To {
		why := results[i].Refused
		if why == "" {
			delivered.To = append(delivered.To, to)
			continue
		}
		letter.Last = why
		if err := d.bury(ctx, t, to, letter); err != nil {
			return err
		}
		refused = append(refused, Event{State: Failed, Lane: t.lane(), Task: t.ID, Reason: why, To: []Receiver{to}})
	}
	return d.records.Write(append(refused, delivered)...)
}

// bury makes the letter that of one receiver: with the same task, for him
// alone.
func (d *delivery) bury(ctx context.Context, t Task, to Receiver, letter journal.DeadLetter) error {
	if d.box == nil {
		return nil
	}
	letter.ID, letter.Component, letter.Key, letter.Died = to.Row, "lane:"+t.lane(), to.To, time.Now()
	t.ID, t.To = letter.ID, []Receiver{to}
	codec := journal.JSON[Task]()
	payload, err := codec.Encode(nil, t)
	if err != nil {
		return err
	}
	letter.Codec, letter.Version, letter.Payload = codec.Name, codec.Version, payload
	return d.box.Put(ctx, letter)
}

// newGivenUp records the receivers of a task that has failed as a whole (it
// cannot be decoded, or its handler has panicked); the lane makes one dead
// letter of it.
func newGivenUp(r *Records) func(context.Context, pool.Result[Task]) {
	return func(_ context.Context, res pool.Result[Task]) {
		if res.Err != nil {
			t := res.Item
			_ = r.Write(Event{State: Failed, Lane: t.lane(), Task: t.ID, Reason: res.Err.Error(), To: t.To}) // the letter has it too
		}
	}
}
