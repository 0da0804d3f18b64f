package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/examples/push/provider"
)

// flags are the settings for commands that read no configuration.
func (s *Settings) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.Input, "input", "", "the rows, a CSV `file`")
	cmd.Flags().StringVar(&s.Dir, "dir", defaults.Dir, "the `directory` of journal and records")
	cmd.Flags().StringVar(&s.Provider, "provider", defaults.Provider, "the provider's `url`")
	cmd.Flags().StringVar(&s.Unsubscribed, "unsubscribed", "", "a `file` with a receiver on each line")
}

func whereCommand() *cobra.Command {
	s := defaults
	cmd := &cobra.Command{
		Use:   "where RECEIVER",
		Short: "Where is my message: the way of what was sent to a receiver",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return where(cmd.OutOrStdout(), s, args[0]) },
	}
	cmd.Flags().StringVar(&s.Dir, "dir", s.Dir, "the `directory` of the records")
	return cmd
}

func sumCommand() *cobra.Command {
	s := defaults
	cmd := &cobra.Command{
		Use:   "sum",
		Short: "What became of all rows so far",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sum, err := newTally(s).Sum()
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "%v, %d on their way\n", sum, sum.Inside)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&s.Dir, "dir", s.Dir, "the `directory` of the records")
	return cmd
}

func generateCommand() *cobra.Command {
	rows, dir := 20_000, "."
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Write rows.csv and unsubscribed.txt, and say what must become of the rows",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sum, err := generate(rows, filepath.Join(dir, "rows.csv"), filepath.Join(dir, "unsubscribed.txt"))
			fmt.Fprintf(cmd.OutOrStdout(), "%d rows: %v\n", rows, sum)
			return err
		},
	}
	cmd.Flags().IntVar(&rows, "rows", rows, "how many")
	cmd.Flags().StringVar(&dir, "dir", dir, "into this `directory`")
	return cmd
}

func providerCommand() *cobra.Command {
	b := provider.Behaviour{Deduplicate: true}
	addr := "127.0.0.1:9090"
	cmd := &cobra.Command{
		Use:   "provider",
		Short: "Run the provider, which takes the messages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "http://%s\n", listener.Addr())
			server := http.Server{Handler: provider.New(b), ReadHeaderTimeout: 10 * time.Second}
			defer context.AfterFunc(ctx, func() { _ = server.Close() })() // Serve says what happened
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&addr, "addr", addr, "listen there")
	cmd.Flags().DurationVar(&b.Latency, "latency", 0, "how long a call takes")
	cmd.Flags().Float64Var(&b.ErrorRate, "errors", 0, "the part of calls that is answered with 503")
	cmd.Flags().BoolVar(&b.Deduplicate, "deduplicate", b.Deduplicate, "deliver a message only once")
	return cmd
}
