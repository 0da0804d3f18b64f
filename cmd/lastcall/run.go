package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lastcall-go/lastcall/journal"
)

// The exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitDamage
	exitHeld
	exitPartly
)

const exitHelp = `
Exit codes:
  0  done
  1  failed, or interrupted
  2  the command line is wrong
  3  verify has found damage
  4  a live process holds the directory
  5  partly done: some letters were not sent, or are not in the box
`

// Errors that have said all there is to say: only their exit code is left.
var (
	errDamage = errors.New("damage was found")
	errPartly = errors.New("some letters were not sent, or are not there")
)

// usageError is a command line that is wrong.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// program is one run of the command, and what it talks to.
type program struct {
	in       io.Reader
	out, err io.Writer
	// asks: there is a person to answer a question. watches: there is one to
	// look at a progress bar.
	asks, watches bool

	dir    string
	output string
}

// run is the command without its process. ctx ends it early.
func run(ctx context.Context, args []string, in io.Reader, out, err io.Writer) int {
	p := &program{in: in, out: out, err: err}
	p.watches = isTerminal(err)
	p.asks = isTerminal(in) && p.watches
	return p.run(ctx, args)
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (p *program) run(ctx context.Context, args []string) int {
	out := bufio.NewWriter(p.out)
	p.out = out
	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err = errors.Join(err, out.Flush()); err == nil {
		return exitOK
	}
	var usage usageError
	switch {
	case errors.Is(err, errDamage):
		return exitDamage
	case errors.Is(err, errPartly):
		return exitPartly
	case errors.As(err, &usage):
		fmt.Fprintf(p.err, "lastcall: %v\nSee '%s --help'.\n", err, cmd.CommandPath())
		return exitUsage
	case errors.Is(err, journal.ErrLocked):
		fmt.Fprintf(p.err, "lastcall: %v\n", err)
		return exitHeld
	default:
		fmt.Fprintf(p.err, "lastcall: %v\n", err)
		return exitFailed
	}
}

func (p *program) root() *cobra.Command {
	root := group("lastcall", "look into the journals of a service, and send dead letters again", `
It works on a journal directory. While no process holds it, the files are read
and written; while a service does, it is asked through its control socket. A
directory that is held by a process that does not answer is not touched.`+"\n"+exitHelp)
	root.Version = version()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentFlags().StringVarP(&p.dir, "dir", "d", "journal", "the journal directory of the service")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(p.journal(), p.deadletters())
	for _, group := range root.Commands() {
		for _, cmd := range group.Commands() {
			if cmd.Long == "" {
				cmd.Long = sentence(cmd.Short)
			}
		}
	}
	return root
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

// group is a command that only has others below it.
func group(use, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: sentence(short) + "\n" + long,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			near := ""
			for _, name := range cmd.SuggestionsFor(args[0]) {
				near += fmt.Sprintf("; did you mean %q?", name)
			}
			return usagef("there is no command %q%s", args[0], near)
		},
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}

// counted makes a wrong number of arguments a usage error.
func counted(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}
