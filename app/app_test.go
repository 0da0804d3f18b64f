package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		program string
		want    int
	}{
		{"failingNew", lifecycle.ExitStartFailed},
		{"failingStart", lifecycle.ExitStartFailed},
		{"failingStop", lifecycle.ExitHookFailed},
		{"panics", lifecycle.ExitHookFailed},
		{"serveError", lifecycle.ExitHookFailed},
		{"losesWork", lifecycle.ExitWorkLost},
		{"savesWork", lifecycle.ExitClean},
		{"exit42", 42},
		{"instead", lifecycle.ExitClean},
	} {
		t.Run(tt.program, func(t *testing.T) {
			t.Parallel()
			end := startChild(t, tt.program, "lastcall").wait()
			assert.Equal(t, tt.want, end.code, "%s\n%s", end.said, end.stderr)
		})
	}
}

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("SignalStopsInReverseOrder", func(t *testing.T) {
		t.Parallel()
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			c := startChild(t, "idle", "lastcall")
			c.await("waiting")
			c.signal(sig)
			end := c.wait()
			assert.Equal(t, lifecycle.ExitClean, end.code)
			assert.Equal(t, "first started\nlast started\nwaiting\nlast stopped\nlast destroyed\nfirst stopped\nfirst destroyed", end.said)
		}
	})

	t.Run("AnotherSignalIsNoCopy", func(t *testing.T) {
		t.Parallel()
		c := startChild(t, "patientStop", "lastcall")
		c.await("waiting")
		require.NoError(t, c.cmd.Process.Signal(syscall.SIGINT))
		c.await("slow is stopping") // two signals at once may be heard in either order
		require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
		assert.Contains(t, c.wait().said, "cut early: true")
	})

	t.Run("DeadReaderOfTheLogDoesNotEndTheStop", func(t *testing.T) {
		t.Parallel()
		logs, end, err := os.Pipe()
		require.NoError(t, err)
		c := startChild(t, "idle", "lastcall", func(cmd *exec.Cmd) { cmd.Stderr = end })
		require.NoError(t, end.Close())
		c.await("waiting")
		require.NoError(t, logs.Close())
		c.signal(syscall.SIGTERM)
		said := c.wait()
		assert.Equal(t, lifecycle.ExitClean, said.code)
		assert.True(t, strings.HasSuffix(said.said, "first stopped\nfirst destroyed"), said.said)
	})

	t.Run("LogThatNobodyReadsHoldsNeitherTheStopNorTheThirdSignal", func(t *testing.T) {
		t.Parallel()
		logs, full, err := os.Pipe()
		require.NoError(t, err)
		defer logs.Close()
		require.NoError(t, full.SetWriteDeadline(time.Now().Add(noEcho)))
		_, err = full.Write(make([]byte, 1<<20)) // more than a pipe holds
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)

		c := startChild(t, "stubbornStop", "lastcall", func(cmd *exec.Cmd) { cmd.Stderr = full })
		require.NoError(t, full.Close())
		c.await("waiting")
		c.signal(syscall.SIGTERM)
		c.await("stubborn is stopping")
		c.signal(syscall.SIGTERM)
		c.await("destroying")
		c.signal(syscall.SIGTERM)
		assert.Equal(t, 128+int(syscall.SIGTERM), c.wait().code)
	})

	t.Run("SignalWhileConstructorsRunIsHeard", func(t *testing.T) {
		t.Parallel()
		c := startChild(t, "slowNew", "lastcall")
		c.await("constructing")
		c.signal(syscall.SIGTERM)
		end := c.wait()
		assert.Equal(t, lifecycle.ExitStartFailed, end.code)
		assert.True(t, strings.HasSuffix(end.said, "first destroyed"), end.said)
		assert.Contains(t, end.stderr, "told to stop during start: SIGTERM")
	})

	t.Run("FailedStartIsRolledBack", func(t *testing.T) {
		t.Parallel()
		end := startChild(t, "failingStart", "lastcall").wait()
		assert.Equal(t, "first started\nfirst stopped\nfirst destroyed", end.said)
		assert.Contains(t, end.stderr, "no database")
	})

	t.Run("CauseOfAFailedComponentIsTold", func(t *testing.T) {
		t.Parallel()
		end := startChild(t, "serveError", "lastcall").wait()
		assert.Contains(t, end.stderr, "the listener broke")
	})

	t.Run("InsteadStartsNothingAndDestroysWhatWasConstructed", func(t *testing.T) {
		t.Parallel()
		end := startChild(t, "instead", "lastcall").wait()
		assert.Equal(t, "the configuration\nfirst destroyed", end.said)
	})
}

func TestApp(t *testing.T) {
	t.Parallel()

	t.Run("ModuleAmongTheOptionsTakesThePlaceOfOurs", func(t *testing.T) {
		t.Parallel()
		a := app.New(quiet, lifecycle.Module(lifecycle.WithConfig(lifecycle.Config{ReceiptFile: filepath.Join(t.TempDir(), "receipt.json")})))
		require.NoError(t, start(t, a))
		require.NoError(t, stop(a))
	})

	t.Run("RefusedGraphIsAnErrorEverywhere", func(t *testing.T) {
		t.Parallel()
		a := app.New(quiet, fx.Error(errors.New("refused")))
		ctx := context.Background()
		require.ErrorContains(t, a.Err(), "refused")
		require.ErrorContains(t, a.Start(ctx), "refused")
		assert.NotPanics(t, func() { _ = a.Stop(ctx) })
	})

	t.Run("ReceiptIsWrittenAsJSON", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		a := app.New(quiet, fx.Supply(lifecycle.Config{ReceiptFile: file}), fx.Invoke(first))
		require.NoError(t, start(t, a))
		require.NoError(t, stop(a))
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var receipt struct {
			Cause      struct{ Kind string }
			Components []struct{ Name, Band string }
		}
		require.NoError(t, json.Unmarshal(text, &receipt))
		assert.Equal(t, "stop", receipt.Cause.Kind)
		require.Len(t, receipt.Components, 1)
		assert.Equal(t, "first", receipt.Components[0].Name)
		assert.Equal(t, "middle", receipt.Components[0].Band)
	})

	t.Run("TimeoutsOfTheConfigurationAreOverThoseOfFx", func(t *testing.T) {
		t.Parallel()
		of := func(cfg lifecycle.Config) *app.App {
			return app.New(quiet, fx.StartTimeout(time.Second), fx.StopTimeout(2*time.Second), fx.Supply(cfg))
		}
		a := of(lifecycle.Config{StartTimeout: 3 * time.Second, StopTimeout: 4 * time.Second})
		assert.Equal(t, 3*time.Second, a.StartTimeout())
		assert.Equal(t, 4*time.Second, a.StopTimeout())
		a = of(lifecycle.Config{})
		assert.Equal(t, time.Second, a.StartTimeout())
		assert.Equal(t, 2*time.Second, a.StopTimeout())
	})

	t.Run("StopRightAfterTheStartIsNoFailedStart", func(t *testing.T) {
		t.Parallel()
		for range 100 {
			var c *lifecycle.Conductor
			a := app.New(quiet, fx.Populate(&c), fx.Invoke(newInvoices))
			stopped := make(chan error)
			go func() {
				<-c.When(lifecycle.Started)
				stopped <- c.Stop(context.Background())
			}()
			require.NoError(t, start(t, a))
			require.NoError(t, <-stopped)
		}
	})

	t.Run("SecondStopHonoursItsContext", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			a := app.New(quiet, fx.Invoke(func(lc fx.Lifecycle) { lc.Append(fx.StopHook(func() { <-release })) }))
			require.NoError(t, start(t, a))
			first := make(chan error)
			go func() { first <- a.Stop(context.Background()) }()
			<-a.Conductor().When(lifecycle.NotReady)

			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			began := time.Now()
			require.ErrorIs(t, a.Stop(ctx), context.DeadlineExceeded)
			assert.Equal(t, time.Second, time.Since(began))
			close(release)
			require.NoError(t, <-first)
		})
	})

	t.Run("StopTwiceGivesTheSameResult", func(t *testing.T) {
		t.Parallel()
		a := app.New(quiet, fx.Invoke(failStop))
		require.NoError(t, start(t, a))
		require.ErrorIs(t, stop(a), errStop)
		require.ErrorIs(t, stop(a), errStop)
		require.Error(t, start(t, a), "a stopped application cannot start again")
	})
}

// TestEventLog: hooks are logged by their true names, with component, module
// and duration; not by the name of a wrapper.
func TestEventLog(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	a := app.New(fx.Supply(zap.New(core)), fx.Module("billing", fx.Invoke(newInvoices)))
	require.NoError(t, start(t, a))
	require.NoError(t, stop(a))

	for _, message := range []string{"component started", "component stopped"} {
		found := logs.FilterMessage(message).All()
		require.Len(t, found, 1, message)
		fields := found[0].ContextMap()
		assert.Equal(t, "app_test.newInvoices", fields["component"])
		assert.Equal(t, "billing", fields["module"])
		assert.Contains(t, fields, "took")
	}
	assert.Positive(t, logs.FilterMessage("provided").Len(), "Fx's own events are there, at debug level")
	for _, entry := range logs.All() {
		assert.NotContains(t, fmt.Sprint(entry.ContextMap()["callee"]), "Conductor", entry.Message)
	}
	stopped := logs.FilterMessage("stopped").All()
	require.Len(t, stopped, 1)
	assert.Equal(t, true, stopped[0].ContextMap()["clean"])
}

func newInvoices(lc fx.Lifecycle) {
	lc.Append(fx.StartStopHook(func() {}, func() {}))
}

// Fifteen seconds of a stop pass in no time under testing/synctest.
func TestStopUnderSynctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		a := app.New(quiet, fx.Invoke(func(lc fx.Lifecycle) {
			lc.Append(fx.StopHook(func() { <-release }))
		}))
		require.NoError(t, start(t, a))
		err := stop(a)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Contains(t, a.Receipt().Cut, "deadline")
	})
}

func ExampleNew() {
	a := app.New(
		fx.Supply(zap.NewNop()), // keeps the example's output short
		fx.Invoke(func(lc fx.Lifecycle) {
			lifecycle.Append(lc, lifecycle.Hook{
				Name:       "snapshot",
				OnStop:     func(context.Context) error { return errors.New("disk full") },
				PreDestroy: func(context.Context) error { fmt.Println("written to the other disk"); return nil },
			})
		}),
	)
	ctx := context.Background()
	if err := a.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Stop(ctx))
	fmt.Println("exit code", a.Receipt().ExitCode())
	// Output:
	// written to the other disk
	// lifecycle: stop snapshot: disk full
	// exit code 3
}

func TestPrintReceipt(t *testing.T) {
	t.Parallel()
	var receipt strings.Builder
	core, logs := observer.New(zapcore.InfoLevel)
	a := app.New(fx.Supply(zap.New(core)), app.PrintReceipt(&receipt), fx.Invoke(newInvoices))
	require.NoError(t, start(t, a))
	require.NoError(t, stop(a))
	assert.Contains(t, receipt.String(), "last call: stop\nstopped cleanly")
	assert.Contains(t, receipt.String(), "app_test.newInvoices")
	stopped := logs.FilterMessage("stopped").All()
	require.Len(t, stopped, 1)
	assert.NotContains(t, stopped[0].ContextMap(), "receipt")
}
