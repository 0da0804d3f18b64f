package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// envChild tells the binary of a test that it is to be the program.
const envChild = "PUSH_CHILD"

// child is this program once more, in a process of its own.
type child struct {
	cmd *exec.Cmd
	log *os.File
}

// childPatience is how long a child may take to end when ctx has.
const childPatience = 10 * time.Second

// startChild runs the program with these arguments; its standard error goes to
// the end of the file, its standard output nowhere if that is nil. It is asked
// to stop when ctx ends, and killed when it does not. The caller must call end.
func startChild(ctx context.Context, logFile string, stdout *os.File, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	c := &child{exec.CommandContext(ctx, self, args...), log}
	c.cmd.Env = append(os.Environ(), envChild+"=1")
	c.cmd.Stderr = log
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = childPatience
	if stdout != nil {
		c.cmd.Stdout = stdout
	}
	if err := c.cmd.Start(); err != nil {
		_ = log.Close()
		return nil, err
	}
	return c, nil
}

// end sends the signal and waits until the child has ended; it returns the
// exit code, -1 if the signal has killed it.
func (c *child) end(sig os.Signal) (code int, err error) {
	defer func() { _ = c.log.Close() }() // the child has written it
	signalled := c.cmd.Process.Signal(sig)
	_ = c.cmd.Wait() // that it did not exit with 0 is in the code
	return c.cmd.ProcessState.ExitCode(), signalled
}
