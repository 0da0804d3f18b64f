package modules

import (
	"context"
	"iter"
	"net/http"
	"sync"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/control"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// desk answers at the control socket of the directory of the journals.
type desk struct {
	handler http.Handler
	ctx     context.Context //nolint:containedctx // it ends with the desk, not with a call
	cancel  context.CancelFunc
	serving sync.WaitGroup
}

// serve makes the store serve h as soon as it holds its directory. It is
// called before anybody opens a journal.
func (s *store) serve(h http.Handler) {
	d := &desk{handler: h}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	s.desk = d
}

func (s *store) stopServing() {
	if s.desk != nil {
		s.desk.cancel()
		s.desk.serving.Wait()
	}
}

// open listens. A service that cannot be asked works all the same.
func (d *desk) open(dir string, log *zap.Logger) {
	ln, err := control.Listen(dir)
	if err != nil {
		log.Warn("journals and dead letters cannot be asked for from outside", zap.Error(err))
		return
	}
	d.serving.Go(func() {
		if err := control.Serve(d.ctx, ln, d.handler); err != nil {
			log.Warn("journals and dead letters cannot be asked for from outside any more", zap.Error(err))
		}
	})
}

var _ control.Journals = (*store)(nil)

// Inspect tells of the journals that are open.
func (s *store) Inspect(ctx context.Context, names ...string) ([]filejournal.Inspection, error) {
	d, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	return d.Inspect(ctx, names...)
}

// Entries are those of one of them.
func (s *store) Entries(ctx context.Context, name string) (iter.Seq2[journal.Entry, error], error) {
	d, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	return d.Entries(ctx, name)
}
