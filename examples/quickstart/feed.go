package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/schollz/progressbar/v3"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"golang.org/x/term"

	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

//go:embed sample.csv
var sample []byte

// feed reads the input from beginning to end while the service runs. It lets
// work in, so it stops with the server: before the lanes.
type feed struct {
	input  io.ReadCloser
	size   int64
	router *Router
	outbox *Outbox
	log    *zap.Logger

	stop context.CancelFunc
	done chan struct{} // closed by run
}

func startFeed(lc fx.Lifecycle, s Settings, r *Router, o *Outbox, srv *server.Server, log *zap.Logger) error {
	f := &feed{router: r, outbox: o, log: log, done: make(chan struct{})}
	if err := f.open(s.Input); err != nil {
		return err
	}
	lifecycle.Append(lc, lifecycle.Hook{
		Name: "feed",
		Band: lifecycle.Ingress,
		OnStart: func(context.Context) error {
			fmt.Fprintf(os.Stderr, hello, address(srv), o.Dir())
			ctx, cancel := context.WithCancel(context.Background())
			f.stop = cancel
			go f.run(ctx)
			return nil
		},
		OnStop: func(ctx context.Context) error {
			f.stop()
			err := f.close() // a pipe may have nothing to read for long
			select {
			case <-f.done:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		PreDestroy: func(context.Context) error { return f.close() },
	})
	return nil
}

const hello = `
Send more:   curl -d '{"receiver":"+491510000000","channel":"sms","type":"hello","text":"Good evening"}' 'http://%s/notify'
Look into:   %s
Stop it:     Ctrl-C, and read the receipt

`

// address is how a client on this machine reaches the server.
func address(srv *server.Server) string {
	at, ok := srv.Addr().(*net.TCPAddr)
	if ok && at.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", at.Port)
	}
	return srv.Addr().String()
}

func (f *feed) open(name string) error {
	if name == "" {
		f.input, f.size = io.NopCloser(bytes.NewReader(sample)), int64(len(sample))
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("--input: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("--input: %s is a directory; name a file", name)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.input, f.size = file, info.Size()
	return nil
}

// close may be called again.
func (f *feed) close() error {
	if err := f.input.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

func (f *feed) run(ctx context.Context) {
	defer close(f.done)
	bar := f.progress()
	input := progressbar.NewReader(f.input, bar)
	accepted, bad := 0, 0
	for row := range readCSV(&input) {
		err := row.End
		switch {
		case row.Err != nil:
			bad++
			err = f.outbox.Bad(row)
		case err == nil:
			// It waits while the service is drained, and may be undrained.
			err = intake.Offer(ctx, func() error { return f.router.Accept(ctx, row.Message) })
			accepted++
		}
		if err != nil && (ctx.Err() != nil || errors.Is(err, intake.ErrDraining)) {
			f.log.Info("stopped reading the input; rows from here on were not accepted", zap.Int("line", row.Line))
			return
		}
		if err != nil {
			f.log.Error("cannot go on with the input", zap.Int("line", row.Line), zap.Error(err))
			return
		}
	}
	_ = bar.Finish() // it is only drawn
	f.log.Info("the input is read to its end; the service goes on until it is told to stop",
		zap.Int("accepted", accepted), zap.Int("bad", bad), zap.String("outbox", f.outbox.Dir()))
}

// progress is a line on a terminal, nothing elsewhere.
func (f *feed) progress() *progressbar.ProgressBar {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return progressbar.DefaultBytesSilent(f.size)
	}
	return progressbar.DefaultBytes(f.size, "reading the input")
}
