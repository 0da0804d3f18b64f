package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal/deadletter"
)

func (p *program) drop() *cobra.Command {
	var c choice
	var o deadletter.Options
	var yes bool
	cmd := &cobra.Command{
		Use: "drop [ID…]", Short: "throw letters away for good",
		Example: "  lastcall deadletters drop --reason expired --until 30d --yes",
		RunE: func(cmd *cobra.Command, ids []string) (err error) {
			if o.Filter, err = c.must(ids); err != nil {
				return err
			}
			if !yes && !o.DryRun {
				asked, err := p.confirm(cmd.Context(), o.Filter)
				if errors.Is(err, errNothing) {
					return p.report(deadletter.Summary{}, "dropped", nil)
				}
				if err != nil {
					return err
				}
				o.Filter = asked
			}
			return p.change(cmd.Context(), "dropped", o, chosen(cmd.Context(), o.Filter), func(ctx context.Context, d desk, o deadletter.Options) (deadletter.Summary, error) {
				return d.Drop(ctx, o)
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVar(&c.all, "all", false, "all letters in the box")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	p.changes(cmd, &o.DryRun)
	return cmd
}

var (
	errDeclined = errors.New("nothing was dropped")
	errNothing  = errors.New("there is nothing to ask about")
)

// confirm asks a person, and returns the filter of the letters that they were
// asked about: more may come while they make up their mind, and others may go.
func (p *program) confirm(ctx context.Context, f deadletter.Filter) (deadletter.Filter, error) {
	if !p.asks {
		return f, usagef("--yes: is needed where there is no terminal to ask at")
	}
	if now := time.Now(); f.Until.IsZero() || now.Before(f.Until) {
		f.Until = now
	}
	n := 0
	err := p.reading(ctx, func(d desk) (err error) {
		n, err = count(ctx, d, f)
		return err
	})
	switch {
	case err != nil:
		return f, err
	case n == 0 && len(f.IDs) == 0:
		return f, errNothing
	case n == 0:
		return f, nil // Drop says which ids those are
	case len(f.IDs) == 0:
		f.Limit = n
	}
	fmt.Fprintf(p.err, "Throw %s away for good? [y/N] ", plural(n, "dead letter"))
	answer, err := bufio.NewReader(p.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return f, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return f, nil
	}
	return f, errDeclined
}
