// Push is a platform that sends messages to many receivers, through twelve
// channels: what it has accepted is delivered, filtered or failed, and
// recorded, however often it is stopped or killed on the way. README.md tells
// the story.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/modules"
)

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// command is what can be done: without a word behind it, the demonstration.
func command() *cobra.Command {
	d := demo{
		out:       os.Stdout,
		rows:      20_000,
		latency:   200 * time.Millisecond,
		stopAfter: 1500 * time.Millisecond,
		patience:  3 * time.Second,

		stopTimeout: 8 * time.Second,
	}
	root := &cobra.Command{
		Use:           "push",
		Short:         "Send 20,000 messages, be stopped in the middle, and lose none",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Here and not in main: the platform hears signals by itself.
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return d.run(ctx)
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.Flags().BoolVar(&d.naive, "naive", false, "the same, as it is written without lastcall")
	root.Flags().IntVar(&d.rows, "rows", d.rows, "how many messages")
	root.AddCommand(serveCommand(), naiveCommand(), providerCommand(), generateCommand(), whereCommand(), sumCommand())
	return root
}

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "serve [--input FILE] [--dir DIR] [--provider URL]",
		Short:              "Run the platform (serve --help for all of its flags)",
		DisableFlagParsing: true, // they are the configuration's
		RunE: func(_ *cobra.Command, args []string) error {
			sources := config.FromProcess()
			sources.Name, sources.Args = "push serve", args
			app.Run(platform(), modules.Sources(sources))
			return nil
		},
	}
}

func naiveCommand() *cobra.Command {
	var s Settings
	cmd := &cobra.Command{
		Use:   "serve-naive",
		Short: "Run the same flow on plain channels and Fx hooks",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			log, err := zap.NewProduction()
			if err != nil {
				return err
			}
			fx.New(naive(s, log)).Run()
			return nil
		},
	}
	s.flags(cmd)
	return cmd
}
