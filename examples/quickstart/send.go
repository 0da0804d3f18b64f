package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// Provider stands for the SMS gateway and the mail relay: it takes its time,
// and refuses receivers that are gone.
type Provider struct{ latency time.Duration }

func newProvider(s Settings) *Provider { return &Provider{s.Latency} }

var errGone = errors.New("the provider does not know this receiver")

// Send delivers one message.
func (p *Provider) Send(ctx context.Context, m Message) error {
	timer := time.NewTimer(p.latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if strings.HasPrefix(m.Receiver, "+00") || strings.HasSuffix(m.Receiver, ".invalid") {
		return errGone
	}
	return nil
}

// newSMSHandler and newEmailHandler are what the lanes run for each message.
func newSMSHandler(d *Dispatch) pool.Handler[SMS] {
	return func(ctx context.Context, m SMS) error { return d.handle(ctx, Message(m)) }
}

func newEmailHandler(d *Dispatch) pool.Handler[Email] {
	return func(ctx context.Context, m Email) error { return d.handle(ctx, Message(m)) }
}

// Dispatch sends a message and hands what was delivered to the batcher.
type Dispatch struct {
	provider  *Provider
	outbox    *Outbox
	delivered *batch.Batcher[Delivery]
}

func newDispatch(p *Provider, o *Outbox, b *batch.Batcher[Delivery]) *Dispatch {
	return &Dispatch{p, o, b}
}

func (d *Dispatch) handle(ctx context.Context, m Message) error {
	err := d.provider.Send(ctx, m)
	if errors.Is(err, errGone) {
		return d.outbox.Refused(m, err)
	}
	if err != nil {
		return err // cut by the stop: the lane keeps it
	}
	return d.delivered.Add(ctx, Delivery{m, time.Now()})
}

// Router puts each message into the lane of its channel.
type Router struct {
	sms    *pool.Lane[SMS]
	email  *pool.Lane[Email]
	outbox *Outbox
}

func newRouter(sms *pool.Lane[SMS], email *pool.Lane[Email], o *Outbox) *Router {
	return &Router{sms, email, o}
}

// Accept returns nil when the message is in a lane: from then on it is
// delivered, or failed and recorded, or left over and saved. It waits while
// the queue is full.
func (r *Router) Accept(ctx context.Context, m Message) error {
	var err error
	switch m.Channel {
	case "sms":
		err = r.sms.Submit(ctx, SMS(m))
	case "email":
		err = r.email.Submit(ctx, Email(m))
	default:
		err = fmt.Errorf("no lane for channel %q", m.Channel)
	}
	if err == nil {
		r.outbox.Accepted()
	}
	return err
}
