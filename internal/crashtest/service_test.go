package crashtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// The test binary is its own child: with these set it is the service.
const (
	envDir     = "CRASHTEST_DIR"     // where delivered and the journals are
	envConfig  = "CRASHTEST_CONFIG"  // a configuration file, as text
	envReceipt = "CRASHTEST_RECEIPT" // the receipt file; empty: beside the journals
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(envDir); dir != "" {
		app.Run(service(dir))
		return
	}
	goleak.VerifyTestMain(m)
}

// How many pieces of work a kill may find between the sink and the
// acknowledgement.
const (
	workers   = 4
	batchSize = 50
)

// receiptFile is beside the journals, as not every mode has any.
func receiptFile(dir string) string { return filepath.Join(dir, "receipt.json") }

// settings is the section "sink".
type settings struct {
	Latency  time.Duration `yaml:"latency"`  // of each delivery
	Stubborn bool          `yaml:"stubborn"` // it never ends, whatever its context says, nor does the stop
}

// service takes ids at POST /lane/{id} and POST /batch/{id}, and delivers them
// to a file. An id that begins with "panic" makes the handler panic, one with
// "refuse" is refused for good.
func service(dir string) fx.Option {
	return fx.Options(
		modules.Default(),
		modules.Sources(config.Options{Name: "service", File: "config.yaml", ReadFile: func(string) ([]byte, error) {
			if text := os.Getenv(envConfig); text != "" {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}}),
		fx.Decorate(func(c lifecycle.Config) lifecycle.Config {
			c.ReceiptFile = os.Getenv(envReceipt)
			return c
		}),
		modules.Section("sink", settings{}),
		fx.Supply(fx.Annotate(dir, fx.ResultTags(`name:"dir"`))),
		fx.Provide(fx.Annotate(newSink, fx.ParamTags(`name:"dir"`))),

		poolmodule.Provide("work", pool.Config{Workers: workers, Queue: 4096}),
		poolmodule.Lane[string]("work", "work", func(s *sink) pool.Handler[string] { return s.deliver }),
		batchmodule.Provide[string]("work", func(s *sink) batch.Sink[string] { return s.deliverAll },
			batch.Config{MaxItems: batchSize, Linger: 5 * time.Millisecond, Buffer: 4096, Retry: batch.Retry{MaxAttempts: 1}}),

		httpmodule.Handle("POST /lane/{id}", func(l *pool.Lane[string]) http.HandlerFunc { return accept(l.Submit) }),
		httpmodule.Handle("POST /batch/{id}", func(b *batch.Batcher[string]) http.HandlerFunc { return accept(b.Add) }),
		fx.Invoke(sayAddress, holdTheStop),
	)
}

// holdTheStop is a component that stops first, and does not come to its end.
func holdTheStop(lc fx.Lifecycle, s settings) {
	if s.Stubborn {
		lifecycle.Append(lc, lifecycle.Hook{Name: "stubborn", Band: lifecycle.Ingress,
			OnStop: func(context.Context) error { select {} }})
	}
}

func accept(take func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := take(r.Context(), r.PathValue("id")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}
}

// sayAddress says where the service listens when all of it has started: a
// signal that comes before is one to a start.
func sayAddress(srv *server.Server, c *lifecycle.Conductor) {
	go func() {
		<-c.When(lifecycle.Started)
		fmt.Println("listening on", srv.Addr())
	}()
}

// sink is a file to which each delivery is one write: what was delivered
// before a kill is in it.
type sink struct {
	file *os.File
	settings
}

func newSink(dir string, cfg settings, lc fx.Lifecycle) (*sink, error) {
	f, err := os.OpenFile(filepath.Join(dir, "delivered"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	lifecycle.PreDestroy(lc, "sink", func(context.Context) error { return f.Close() })
	return &sink{f, cfg}, nil
}

func (s *sink) deliver(ctx context.Context, id string) error { return s.deliverAll(ctx, []string{id}) }

func (s *sink) deliverAll(ctx context.Context, ids []string) error {
	if s.Stubborn {
		select {}
	}
	if s.Latency > 0 {
		select {
		case <-time.After(s.Latency):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for _, id := range ids {
		switch {
		case strings.HasPrefix(id, "panic"):
			panic("asked to")
		case strings.HasPrefix(id, "refuse"):
			return pool.Permanent(batch.Permanent(errors.New("asked to")))
		}
	}
	_, err := s.file.WriteString(strings.Join(ids, "\n") + "\n")
	return err
}
