package app_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// The test binary is its own child: with these set it is one of the programs,
// under plain Fx or under lastcall.
const (
	envProgram = "APP_TEST_PROGRAM"
	envUnder   = "APP_TEST_UNDER"
	envReceipt = "APP_TEST_RECEIPT" // the receipt file; empty: none
)

func TestMain(m *testing.M) {
	if name := os.Getenv(envProgram); name != "" {
		opts := programs[name]()
		if os.Getenv(envUnder) == "fx" {
			runFx(fx.New(opts, fx.NopLogger))
		} else {
			receipt := fx.Supply(lifecycle.Config{ReceiptFile: os.Getenv(envReceipt)})
			app.Run(opts, receipt, fx.Invoke(sayWhenStarted))
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// runFx is fx.App.Run, which cannot be used as it is: a test cannot know when
// it has begun to listen to signals. This one says so.
func runFx(a *fx.App) {
	if os.Getenv(envProgram) != "slowStop" {
		a.Run()
		return
	}
	ctx := context.Background()
	if err := a.Start(ctx); err != nil {
		os.Exit(1)
	}
	done := a.Wait()
	say("waiting")
	<-done
	ctx, cancel := context.WithTimeout(ctx, a.StopTimeout())
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		os.Exit(1)
	}
}

// sayWhenStarted is for children that get a signal: until then it would cancel
// the start.
func sayWhenStarted(c *lifecycle.Conductor) {
	go func() {
		select {
		case <-c.When(lifecycle.Started):
			say("waiting")
		case <-c.When(lifecycle.Finished):
		}
	}()
}

// noEcho is long enough for a second signal not to be taken for a copy of the
// first.
const noEcho = 300 * time.Millisecond

// child is a running program.
type child struct {
	t         *testing.T
	cmd       *exec.Cmd
	lines     *bufio.Scanner
	seen      []string
	signalled bool
	stderr    bytes.Buffer
}

// quiet keeps the event log of an application out of a test's output.
var quiet = fx.Supply(zap.NewNop())

const childLimit = 2 * time.Minute // of any child's life; never reached by a test that passes

func startChild(t *testing.T, program, under string, opts ...func(*exec.Cmd)) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), childLimit)
	t.Cleanup(cancel)
	c := &child{t: t, cmd: exec.CommandContext(ctx, os.Args[0])}
	c.cmd.Env = append(os.Environ(), envProgram+"="+program, envUnder+"="+under)
	c.cmd.Stderr = &c.stderr
	for _, opt := range opts {
		opt(c.cmd)
	}
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.lines = bufio.NewScanner(out)
	require.NoError(t, c.cmd.Start())
	return c
}

// await reads the child's lines until one is the given text.
func (c *child) await(text string) {
	c.t.Helper()
	for c.lines.Scan() {
		c.seen = append(c.seen, c.lines.Text())
		if c.lines.Text() == text {
			return
		}
	}
	c.t.Fatalf("the child ended without saying %q; it said:\n%s\n%s", text, strings.Join(c.seen, "\n"), c.stderr.String())
}

// signal sends a signal that is not taken for an echo of the one before. The
// caller has awaited what the child says to that one: the time between the two
// counts from when the child has heard the first, and it may have been slow.
func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if c.signalled {
		<-time.After(noEcho)
	}
	c.signalled = true
	require.NoError(c.t, c.cmd.Process.Signal(s))
}

// ended is how a child ended and all it said.
type ended struct {
	code   int // -1: killed by a signal
	said   string
	stderr string
}

func (c *child) wait() ended {
	c.t.Helper()
	for c.lines.Scan() {
		c.seen = append(c.seen, c.lines.Text())
	}
	require.NoError(c.t, c.lines.Err())
	err := c.cmd.Wait()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(c.t, err, &exit)
	}
	return ended{code: c.cmd.ProcessState.ExitCode(), said: strings.Join(c.seen, "\n"), stderr: c.stderr.String()}
}
