package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/control"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// What the test binary is when it is started again.
const (
	serviceVar = "LASTCALL_TEST_SERVICE" // a service that holds this directory
	socketVar  = "LASTCALL_TEST_SOCKET"  // and answers at its control socket
	commandVar = "LASTCALL_TEST_COMMAND" // the command itself
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(serviceVar); dir != "" {
		if err := serviceMain(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(shopVar); dir != "" {
		fmt.Println("error", shopMain(dir))
		os.Exit(1)
	}
	if os.Getenv(commandVar) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// serviceMain is a service with a lane, until SIGTERM or the end of its input.
func serviceMain(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	d, err := filejournal.Open(filejournal.Config{Dir: dir, SegmentBytes: 64 << 10})
	if err != nil {
		return err
	}
	if _, err := d.Open(ctx, "lane:sms"); err != nil {
		return err
	}
	box := journal.NewDeadLetters(d)
	box.Receive("lane:sms", func(_ context.Context, l journal.DeadLetter) error {
		fmt.Println("took", l.ID, string(l.Payload))
		return nil
	}, nil)
	var serving sync.WaitGroup
	if os.Getenv(socketVar) != "" {
		ln, err := control.Listen(dir)
		if err != nil {
			return err
		}
		serving.Go(func() { _ = control.Serve(ctx, ln, control.Handler(d, box)) })
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes it
	stop()
	serving.Wait()
	if err := box.Close(); err != nil {
		return err
	}
	return d.Close()
}

// service is a child that holds a directory.
type service struct {
	*exec.Cmd
	lines *bufio.Scanner
	stdin io.Closer
}

func startService(t *testing.T, dir string, socket bool) *service {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serviceVar+"="+dir)
	if socket {
		cmd.Env = append(cmd.Env, socketVar+"=1")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	s := &service{cmd, bufio.NewScanner(out), in}
	require.Equal(t, "ready", s.line(t))
	return s
}

func (s *service) line(t *testing.T) string {
	t.Helper()
	require.True(t, s.lines.Scan(), "%v", s.lines.Err())
	return s.lines.Text()
}

// stop ends it well, kill does not.
func (s *service) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, s.stdin.Close())
	require.False(t, s.lines.Scan(), s.lines.Text())
	require.NoError(t, s.Wait())
}

func (s *service) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Process.Kill())
	_ = s.Wait() // killed
}

// What is waited for comes at once; on a busy machine, a little later.
const (
	waitLong  = 30 * time.Second
	waitShort = 5 * time.Millisecond
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func letter(n int) journal.DeadLetter {
	return journal.DeadLetter{
		ID: fmt.Sprintf("m-%d", n), Component: "lane:sms", Key: fmt.Sprintf("receiver-%d", n%2),
		Reason: journal.ReasonRetries, Attempts: 3, Accepted: noon.Add(-time.Hour), Died: noon.Add(time.Duration(n) * time.Minute),
		First: "timeout", Last: "503", Codec: "json", Payload: fmt.Appendf(nil, `{"to":"%d"}`, n),
	}
}

// leave makes the directory of a service that has stopped, with entries in its
// lane and letters in its box.
func leave(t *testing.T, entries int, letters ...journal.DeadLetter) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "journal")
	d, err := filejournal.Open(filejournal.Config{Dir: dir, SegmentBytes: 64 << 10})
	require.NoError(t, err)
	j, err := d.Open(t.Context(), "lane:sms")
	require.NoError(t, err)
	for i := range entries {
		span, err := j.Append(t.Context(), journal.Entry{
			ID: fmt.Sprintf("e-%d", i), At: noon, Codec: "json", Payload: fmt.Appendf(nil, `{"to":"%d","text":"%0300d"}`, i, i),
		})
		require.NoError(t, err)
		if i%3 == 0 {
			require.NoError(t, j.Ack(t.Context(), span))
		}
	}
	box := journal.NewDeadLetters(d)
	require.NoError(t, box.Put(t.Context(), letters...))
	require.NoError(t, box.Close())
	require.NoError(t, d.Close())
	return dir
}

func letters(n int) (all []journal.DeadLetter) {
	for i := range n {
		all = append(all, letter(i+1))
	}
	return all
}

// lane is what the next life of a service finds in its journal.
func lane(t *testing.T, dir string) (payloads []string) {
	t.Helper()
	d, err := filejournal.Open(filejournal.Config{Dir: dir, SegmentBytes: 64 << 10})
	require.NoError(t, err)
	j, err := d.Open(t.Context(), "lane:sms")
	require.NoError(t, err)
	for e, err := range j.Replay(t.Context()) {
		require.NoError(t, err)
		payloads = append(payloads, e.ID+" "+string(e.Payload))
	}
	require.NoError(t, d.Close())
	return payloads
}

// result is what one run of the command has left.
type result struct {
	code     int
	out, err string
}

// lastcall runs the command.
func lastcall(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return with(t, &program{}, dir, args...)
}

// with runs it with a program that has other streams.
func with(t *testing.T, p *program, dir string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	p.out, p.err = &out, &err
	if p.in == nil {
		p.in = strings.NewReader("")
	}
	code := p.run(t.Context(), append(args, "--dir", dir))
	return result{code, out.String(), err.String()}
}

// ids are what list finds.
func ids(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	r := lastcall(t, dir, append([]string{"deadletters", "list", "--output", "jsonl"}, args...)...)
	require.Equal(t, exitOK, r.code, r.err)
	found := []string{}
	for row, err := range deadletter.Import(strings.NewReader(r.out), deadletter.JSONL) {
		require.NoError(t, err)
		found = append(found, row.Letter.ID)
	}
	return found
}

// fingerprint changes with every name, byte, mode and time below dir.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	sum := sha256.New()
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		fmt.Fprintln(sum, path, info.Mode(), info.ModTime().UnixNano(), info.Size())
		if !info.Mode().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		_, _ = sum.Write(data)
		return err
	}))
	return fmt.Sprintf("%x", sum.Sum(nil))
}
