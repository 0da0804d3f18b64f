package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
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
	server *server.Server
	log    *zap.Logger

	stop context.CancelFunc
	done chan struct{} // closed by run
}

func startFeed(lc fx.Lifecycle, s Settings, r *Router, o *Outbox, srv *server.Server, log *zap.Logger) error {
	f := &feed{router: r, outbox: o, server: srv, log: log, done: make(chan struct{})}
	if err := f.open(s.Input); err != nil {
		return err
	}
	lifecycle.Append(lc, lifecycle.Hook{
		Name: "feed",
		Band: lifecycle.Ingress,
		OnStart: func(context.Context) error {
			ctx, cancel := context.WithCancel(context.Background())
			f.stop = cancel
			go f.run(ctx)
			return nil
		},
		OnStop: func(ctx context.Context) error {
			f.stop()
			select {
			case <-f.done:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		PreDestroy: func(context.Context) error { return f.input.Close() },
	})
	return nil
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
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.input, f.size = file, info.Size()
	return nil
}

func (f *feed) run(ctx context.Context) {
	defer close(f.done)
	bar := f.progress()
	input := progressbar.NewReader(f.input, bar)
	for row := range readCSV(&input) {
		var err error
		if row.Err != nil {
			err = f.outbox.Bad(row)
		} else {
			err = f.router.Accept(ctx, row.Message)
		}
		if errors.Is(err, context.Canceled) || errors.Is(err, intake.ErrDraining) {
			f.log.Info("stopped reading the input; rows from here on were not accepted", zap.Int("line", row.Line))
			return
		}
		if err != nil {
			f.log.Error("row not accepted", zap.Int("line", row.Line), zap.Error(err))
		}
	}
	_ = bar.Finish() // it is only drawn
	f.log.Info("the input is read to its end; the service goes on until it is told to stop")
	fmt.Fprintf(os.Stderr, `
Send more:   curl -H 'Content-Type: application/json' -d '{"receiver":"+491510000000","channel":"sms","type":"hello","text":"Good evening"}' http://%s/notify
Stop it:     Ctrl-C, and read the receipt
`, f.server.Addr())
}

// progress is a line on a terminal, nothing elsewhere.
func (f *feed) progress() *progressbar.ProgressBar {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return progressbar.DefaultBytesSilent(f.size)
	}
	return progressbar.DefaultBytes(f.size, "reading the input")
}
