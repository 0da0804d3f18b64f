package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Child is the program in one of its lives. It does not change while the user
// sees it.
type Child struct {
	// Life is its number, from 1.
	Life int
	// Pid is its process.
	Pid int
	// Line is what followed [Program].ReadyLine in the line it wrote.
	Line string

	cmd    *exec.Cmd
	output *output
	began  time.Time

	gone chan struct{} // closed by its keeper when the process is dead and its output read
	exit int           // its exit code, 128+signal if it was killed; after gone
	end  time.Time     // when it died; after gone
}

// outputPatience is how long we read on when the process is dead, but another
// that it started and moved out of our reach holds its output.
const outputPatience = time.Second

var errGone = errors.New("the process has ended")

// Start starts a program by itself, without a drill around it, and returns when
// it is ready. It is for a test that kills at a moment it has chosen. The end of
// ctx kills the program and all that it started. The caller must call
// [Child.Wait], which has the last word on it.
//
// An error matches [ErrDied] or [ErrNotReady] and shows what the program wrote
// last; then nothing is left of it.
func Start(ctx context.Context, p Program) (*Child, error) {
	p = p.withDefaults()
	c, err := start(ctx, p, 1)
	if err != nil {
		return nil, fmt.Errorf("drill: %w: %w", ErrNotReady, err)
	}
	if err := p.awaitReady(ctx, c); err != nil {
		err = notReady(c, err)
		c.kill()
		return nil, fmt.Errorf("drill: %w%s", err, quoted(c.Output()))
	}
	return c, nil
}

// Signal sends a signal to the process itself. If it has ended the error is
// [os.ErrProcessDone].
func (c *Child) Signal(sig syscall.Signal) error { return c.cmd.Process.Signal(sig) }

// Wait returns when the process is gone and what it wrote is read: its exit
// code, 128+signal if a signal has ended it. It may be called several times,
// from several goroutines.
func (c *Child) Wait() (exit int) {
	<-c.gone
	return c.exit
}

// Output is what it wrote last, up to 20 lines; [Program].Logs keeps them all.
func (c *Child) Output() []string { return c.output.last() }

// start starts the program. The end of ctx kills it.
func start(ctx context.Context, p Program, life int) (*Child, error) {
	out, err := newOutput(p, life)
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, out.close())
	}
	c := &Child{Life: life, output: out, gone: make(chan struct{})}
	c.cmd = exec.CommandContext(ctx, p.Path, p.Args...)
	c.cmd.Env = append(os.Environ(), p.Env...)
	c.cmd.Dir = p.Dir
	c.cmd.Stdout, c.cmd.Stderr = w, w // one pipe: the lines stay in order
	c.cmd.SysProcAttr = ownGroup()
	c.cmd.Cancel = func() error { return killGroup(c.cmd.Process.Pid) }

	started := make(chan error, 1)
	go c.keep(r, w, started)
	if err := <-started; err != nil {
		return nil, errors.Join(err, out.close())
	}
	return c, nil
}

// keep starts the process, reads what it writes and waits for its end. It owns
// its thread: on Linux the child is killed when the thread that started it
// ends.
func (c *Child) keep(r, w *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	c.began = time.Now()
	err := c.cmd.Start()
	_ = w.Close() // ours; the child has its own
	if err != nil {
		_ = r.Close()
		started <- err
		return
	}
	c.Pid = c.cmd.Process.Pid
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(c.output, r) // ends when all who hold the pipe are dead
	}()
	started <- nil

	_ = c.cmd.Wait() // its state says more than the error
	c.end = time.Now()
	c.exit = exitCode(c.cmd.ProcessState)
	// What it started and left behind must not outlive it. Its number cannot
	// have become another group's in this moment: numbers are given in turn.
	_ = killGroup(c.Pid)
	_ = r.SetReadDeadline(time.Now().Add(outputPatience))
	<-read
	_ = r.Close()
	_ = c.output.close()
	close(c.gone)
}

// exitCode is 128+signal for a process that a signal has ended.
func exitCode(s *os.ProcessState) int {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return s.ExitCode()
}

// whileAlive is a context that ends with the process. The caller must call
// forget.
func (c *Child) whileAlive(ctx context.Context) (_ context.Context, forget func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-c.gone:
			cancel(errGone)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

// lives waits for the time d, or until the process is gone: false.
func (c *Child) lives(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.gone:
	}
	return c.isAlive()
}

func (c *Child) isAlive() bool {
	select {
	case <-c.gone:
		return false
	default:
		return true
	}
}

// kill ends it and all that it started, if that is not over, and waits.
func (c *Child) kill() {
	if c.isAlive() {
		_ = killGroup(c.Pid)
	}
	<-c.gone
}
