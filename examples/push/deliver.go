package main

import (
	"context"
	"errors"
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

// send makes one call. With an error the lane tries the task again; else every
// receiver of it has the message, or is a dead letter of his own.
func (d *delivery) send(ctx context.Context, t Task) error {
	call := provider.Call{Channel: t.Channel}
	for _, to := range t.To {
		call.Messages = append(call.Messages, provider.Message{ID: to.Row, To: to.To, Text: t.Text})
	}
	results, err := d.client.Send(ctx, t.ID, call)
	if errors.Is(err, provider.ErrRefused) {
		return pool.Permanent(err)
	}
	if err != nil {
		return err
	}
	delivered := Event{State: Delivered, Lane: t.lane(), Task: t.ID}
	var refused []Event
	for i, to := range t.To {
		why := results[i].Refused
		if why == "" {
			delivered.To = append(delivered.To, to)
			continue
		}
		if err := d.bury(ctx, t, to, why); err != nil {
			return err
		}
		refused = append(refused, Event{State: Failed, Lane: t.lane(), Task: t.ID, Reason: why, To: []Receiver{to}})
	}
	return d.records.Write(append(refused, delivered)...)
}

// bury makes a dead letter of one receiver: the same task, for him alone.
func (d *delivery) bury(ctx context.Context, t Task, to Receiver, why string) error {
	if d.box == nil {
		return nil
	}
	t.To = []Receiver{to}
	t.ID = to.Row
	codec := journal.JSON[Task]()
	payload, err := codec.Encode(nil, t)
	if err != nil {
		return err
	}
	return d.box.Put(ctx, journal.DeadLetter{
		ID:        t.ID,
		Component: "lane:" + t.lane(),
		Key:       to.To,
		Reason:    journal.ReasonPermanent,
		Attempts:  1,
		Died:      time.Now(),
		Last:      why,
		Codec:     codec.Name,
		Version:   codec.Version,
		Payload:   payload,
	})
}

// newGivenUp records the receivers of a task that has failed as a whole; the
// lane makes one dead letter of it.
func newGivenUp(r *Records) func(context.Context, pool.Result[Task]) {
	return func(_ context.Context, res pool.Result[Task]) {
		if res.Err != nil {
			t := res.Item
			_ = r.Write(Event{State: Failed, Lane: t.lane(), Task: t.ID, Reason: res.Err.Error(), To: t.To}) // the letter has it too
		}
	}
}
