package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// tellReceipt prints what the platform says of its stop.
func (d *demo) tellReceipt(o *outcome) error {
	text, err := os.ReadFile(d.receipt())
	if err != nil {
		return err
	}
	var receipt lifecycle.Receipt
	if err := json.Unmarshal(text, &receipt); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "the receipt, of a stop of %v:\n", receipt.Took.Round(time.Millisecond))
	var lanes intake.Ledger
	for _, g := range receipt.Gates {
		if strings.HasPrefix(g.Name, "batch:") {
			fmt.Fprintf(d.out, "  rows   %v\n", g.Ledger)
		}
		if strings.HasPrefix(g.Name, "lane:") {
			lanes = lanes.Plus(g.Ledger)
		}
	}
	fmt.Fprintf(d.out, "  tasks  %v\n", lanes)
	if err := receipt.Err(); err != nil {
		fmt.Fprintf(d.out, "  wrong  %v\n", err)
	}
	o.saved, o.lost = receipt.Total.Saved, receipt.WorkLost()
	return nil
}

// tellLog prints what the hooks of the naive flow say.
func (d *demo) tellLog() error {
	f, err := os.Open(d.log())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	fmt.Fprintln(d.out, "its log:")
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct{ Level, Msg string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && (strings.Contains(line.Msg, "stopped") || strings.Contains(line.Msg, "graceful")) {
			fmt.Fprintf(d.out, "  %s  %s\n", line.Level, line.Msg)
		}
	}
	return nil
}

// tellOne asks where one of the messages is: in the naive flow one that was
// lost, else the one that was the longest on its way.
func (d *demo) tellOne() error {
	accepted := map[Receiver]time.Time{} // and not at an end
	var one Receiver
	var longest time.Duration
	records := Reader{path: d.records()}
	for e, err := range records.News() {
		if err != nil {
			return err
		}
		for _, to := range e.To {
			since, known := accepted[to]
			switch {
			case e.State == Accepted && !known:
				accepted[to] = e.At
			case e.State == Delivered && known && e.At.Sub(since) > longest:
				one, longest = to, e.At.Sub(since)
			}
			if e.State.Final() {
				delete(accepted, to)
			}
		}
	}
	if d.naive {
		for to := range accepted {
			one = to
		}
	}
	fmt.Fprintf(d.out, "$ push where --dir %s %s\n", d.Dir, one.To)
	return where(d.out, d.Settings, one.To)
}
