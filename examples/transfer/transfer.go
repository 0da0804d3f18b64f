package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// Transfer is an order to move money. It may be sent and worked on any number
// of times: by its ID it is carried out once.
type Transfer struct {
	ID     string `json:"id"` // empty in a request: one is made
	From   string `json:"from"`
	To     string `json:"to"`
	Amount int64  `json:"amount"` // in cents
}

func (t Transfer) validate(bank *Bank) error {
	var errs []error
	for _, account := range []string{t.From, t.To} {
		if !bank.Has(account) {
			errs = append(errs, fmt.Errorf("there is no account %q", account))
		}
	}
	if t.From == t.To {
		errs = append(errs, errors.New("from and to are the same account"))
	}
	if t.Amount <= 0 {
		errs = append(errs, errors.New("amount: must be positive"))
	}
	return errors.Join(errs...)
}

// newMover is what the lane runs for each transfer: two writes, between which
// the money is in transit. Whatever happens in between, the lane runs it again,
// from the beginning; a step that was made already then does nothing.
func newMover(bank *Bank, s Settings) pool.Handler[Transfer] {
	return func(ctx context.Context, t Transfer) error {
		err := bank.Debit(ctx, t)
		if errors.Is(err, ErrRefused) {
			return pool.Permanent(err) // no step was made, and none will be
		}
		if err != nil {
			return err
		}
		select {
		case <-time.After(s.Pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return bank.Credit(ctx, t)
	}
}

// newPostTransfers serves POST /transfers. 202: the transfer is accepted, and
// will be carried out once, or refused and recorded. 400: it makes no sense.
// 503: it was not accepted, send it again. Without an answer it was accepted or
// not: send it again with the same id.
func newPostTransfers(bank *Bank, lane *pool.Lane[Transfer]) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var t Transfer
		err := json.NewDecoder(r.Body).Decode(&t)
		if err == nil {
			err = t.validate(bank)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if t.ID == "" {
			t.ID = rand.Text()
		}
		if err := lane.Submit(r.Context(), t); err != nil {
			w.Header().Set("Retry-After", "1")
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		answer(w, http.StatusAccepted, t)
	})
}

// newGetAccounts serves GET /accounts: the balances, and whether they add up.
func newGetAccounts(bank *Bank) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		audit, err := bank.Audit(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, http.StatusOK, audit)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client is gone when this fails; what it wanted is done.
	_ = json.NewEncoder(w).Encode(body)
}
