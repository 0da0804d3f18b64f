package drill_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/drill"
)

// The environment of a child: which of the programs it is, and where it keeps
// its files.
const (
	programVar = "LASTCALL_DRILL_PROGRAM"
	dirVar     = "LASTCALL_DRILL_DIR"
)

// programs are what the children run, by name.
var programs = map[string]func(*service) error{
	"honest":    (*service).serve,
	"forgetful": func(s *service) error { s.forgets = true; return s.serve() },
	"doubling":  func(s *service) error { s.doubles = true; return s.serve() },
	"two-faced": func(s *service) error { s.refuses = true; return s.serve() },
	"receipted": func(s *service) error { s.receipt = true; return s.serve() },
	"exit7": func(s *service) error {
		defer os.Exit(7)
		return s.serve()
	},
	"stubborn": func(s *service) error {
		signal.Ignore(syscall.SIGTERM)
		s.deaf = true
		return s.serve()
	},
	"dying": func(s *service) error { s.dies = true; return s.serve() },
	"talking": func(*service) error {
		for i := range 1000 {
			fmt.Println("line", i)
		}
		fmt.Print("last words: ", strings.Repeat("x", 5000))
		os.Exit(1)
		return nil
	},
	"mute":    func(*service) error { fmt.Println("still loading"); select {} },
	"failing": func(*service) error { return errors.New("no configuration") },
	"numbered": func(s *service) error {
		appendTo(filepath.Join(s.dir, "pids"))(fmt.Sprint(os.Getpid()))
		return s.serve()
	},
	"driller": drillUntilKilled,
	"parent": func(s *service) error {
		cmd := exec.Command("sleep", "600")
		cmd.Stdout = os.Stdout // it holds our output
		if err := cmd.Start(); err != nil {
			return err
		}
		appendTo(filepath.Join(s.dir, "pids"))(fmt.Sprint(cmd.Process.Pid))
		return s.serve()
	},
}

// TestMain is also the main of the children.
func TestMain(m *testing.M) {
	if name := os.Getenv(programVar); name != "" {
		if err := programs[name](&service{dir: os.Getenv(dirVar)}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const workers = 4

// service accepts ids over HTTP, writes them down before it says so, and
// delivers them to a file, at least once, with four workers. It is as honest
// as its fields let it be.
type service struct {
	dir string

	forgets bool // it answers without writing anything down
	doubles bool // it delivers twice
	refuses bool // it says no to some, and delivers them
	receipt bool // it leaves a receipt, in which one ledger does not balance
	deaf    bool // it has no ear for signals
	dies    bool // it dies by itself, soon after it has begun to listen

	queue                   chan string
	accept, deliver, finish func(id string)
}

func (s *service) serve() error {
	s.accept = appendTo(filepath.Join(s.dir, "accepted"))
	s.deliver = appendTo(filepath.Join(s.dir, "delivered"))
	s.finish = appendTo(filepath.Join(s.dir, "finished"))
	began := time.Now()
	ctx, stop := context.WithCancel(context.Background())
	if !s.deaf {
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGTERM)
	}
	defer stop()
	old, err := s.left()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.queue = make(chan string, len(old)+100)
	for _, id := range old {
		s.queue <- id
	}
	var working sync.WaitGroup
	for range workers {
		working.Go(s.work)
	}
	server := &http.Server{Handler: http.HandlerFunc(s.take)}
	go func() { _ = server.Serve(listener) }()
	fmt.Println("listening on", listener.Addr())
	if s.dies {
		time.AfterFunc(20*time.Millisecond, func() {
			fmt.Println("panic: the disk is on fire")
			os.Exit(2)
		})
	}

	<-ctx.Done()
	// Whoever is in a handler has written down what he puts into the queue.
	if err := server.Shutdown(context.Background()); err != nil {
		return err
	}
	close(s.queue)
	working.Wait()
	return s.leaveReceipt(began)
}

// left is what earlier lives have accepted and not finished.
func (s *service) left() ([]string, error) {
	finished := map[string]bool{}
	for _, id := range readLines(filepath.Join(s.dir, "finished")) {
		finished[id] = true
	}
	var left []string
	for _, id := range readLines(filepath.Join(s.dir, "accepted")) {
		if !finished[id] {
			left = append(left, id)
		}
	}
	return left, nil
}

func (s *service) take(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	if id == "" {
		return // a probe
	}
	if !s.forgets {
		s.accept(id)
	}
	s.queue <- id
	if s.refuses && id[len(id)-1] == '0' {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (s *service) work() {
	for id := range s.queue {
		if s.forgets {
			time.Sleep(time.Second) // what it has accepted has no other place when it is killed
		}
		s.deliver(id)
		if s.doubles {
			s.deliver(id)
		}
		s.finish(id)
	}
}

func (s *service) leaveReceipt(began time.Time) error {
	if !s.receipt {
		return nil
	}
	return os.WriteFile(filepath.Join(s.dir, "receipt.json"), fmt.Appendf(nil, `{
		"clean": true, "exit_code": 3, "errors": ["batch:rows: timed out"], "work_lost": 0, "began": %q,
		"total": {"accepted": 1, "done": 1},
		"gates": [{"name": "http", "balanced": true}, {"name": "lane:sms", "balanced": false, "ledger": {"accepted": 1}}]
	}`, began.Format(time.RFC3339Nano)), 0o600)
}

// appendTo writes lines with one call each: a line is there or not.
func appendTo(file string) func(line string) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	return func(line string) {
		if _, err := f.WriteString(line + "\n"); err != nil {
			panic(err)
		}
	}
}

func readLines(file string) []string {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		panic(err)
	}
	defer f.Close()
	var lines []string
	for scan := bufio.NewScanner(f); scan.Scan(); {
		lines = append(lines, scan.Text())
	}
	return lines
}

// drillUntilKilled drills the program "numbered", and never comes to its end.
func drillUntilKilled(s *service) error {
	cfg := drill.Config{
		Program: drill.Program{
			Path:      os.Args[0],
			Env:       []string{programVar + "=numbered", dirVar + "=" + s.dir},
			ReadyLine: "listening on ",
			Ready:     func(context.Context, *drill.Child) error { fmt.Println("up"); return nil },
		},
		Load:    drill.Load{Offer: refuse},
		Outcome: drill.Outcome{Delivered: drill.Lines("nothing")},
		Kills:   []drill.Kill{drill.Sigkill(1).Between(time.Hour, time.Hour)},
	}
	_, err := drill.Run(context.Background(), cfg)
	return err
}

// isGone tells it, on Linux, also of a process that nobody has buried yet.
func isGone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
