package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/control"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// desk is where dead letters are handed out and taken: the files of a
// directory, or the service that holds it.
type desk interface {
	All(ctx context.Context, f deadletter.Filter) iter.Seq2[journal.DeadLetter, error]
	Redrive(ctx context.Context, o deadletter.Options) (deadletter.Summary, error)
	Drop(ctx context.Context, o deadletter.Options) (deadletter.Summary, error)
	SendBack(ctx context.Context, file io.Reader, format deadletter.Format, o deadletter.Options) (deadletter.Summary, error)
	Close() error
}

// desk opens the directory, to change something or only to read, or turns to
// the service that holds it.
func (p *program) desk(ctx context.Context, change bool) (desk, error) {
	if err := holdsJournals(p.dir); err != nil {
		return nil, err
	}
	d, err := p.files(change)
	if held := new(filejournal.HeldError); errors.As(err, &held) {
		r, err := p.service(ctx, held)
		if err != nil {
			return nil, err // not a desk that is nil
		}
		return r, nil
	}
	return d, err
}

// holdsJournals keeps the command from making itself at home in a directory
// that has nothing to do with journals.
func holdsJournals(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no directory %s; give that of the service with --dir", dir)
	}
	_, err := os.Stat(filepath.Join(dir, filejournal.LockName))
	if errors.Is(err, os.ErrPermission) {
		return cmp.Or(ownedBy(dir, os.Geteuid()), err)
	}
	if err != nil {
		return fmt.Errorf("no service has kept journals in %s; give its directory with --dir", dir)
	}
	return nil
}

// files is a desk over a directory that nobody holds. To change something, the
// directory is held meanwhile.
func (p *program) files(change bool) (desk, error) {
	if !change {
		v, err := p.view()
		if err != nil {
			return nil, err
		}
		return newLocal(v, v.Names, v.Close)
	}
	d, err := p.hold()
	if err != nil {
		return nil, err
	}
	return newLocal(d, d.Names, d.Close)
}

// hold takes a directory that nobody holds, to change something: what is moved
// is on the disk at its new place before it is taken from the old one. The
// bounds of the service's own configuration are not known, and work that was
// accepted once is not refused for them. What another user has made is not
// touched.
func (p *program) hold() (*filejournal.Directory, error) {
	if err := filejournal.HeldBy(p.dir); err != nil {
		return nil, err
	}
	if err := p.owns(); err != nil {
		return nil, err
	}
	return filejournal.Open(filejournal.Config{
		Dir: p.dir, Sync: filejournal.SyncAlways, SegmentBytes: 1 << 20, MaxBytes: 1 << 40,
	})
}

// owns is an error unless the person may change the files. LOCK is asked, which
// is the service's own: the directory may be an administrator's.
func (p *program) owns() error {
	return ownedBy(filepath.Join(p.dir, filejournal.LockName), os.Geteuid())
}

// local is a desk over files.
type local struct {
	*deadletter.Offline
	leave func() error
}

func newLocal(o journal.Opener, list func() ([]string, error), leave func() error) (desk, error) {
	names, err := list()
	if err != nil {
		return nil, errors.Join(err, leave())
	}
	return &local{deadletter.NewOffline(o, append([]string{}, names...)), leave}, nil
}

func (l *local) All(ctx context.Context, f deadletter.Filter) iter.Seq2[journal.DeadLetter, error] {
	return f.Of(l.Offline.All(ctx))
}

func (l *local) Redrive(ctx context.Context, o deadletter.Options) (deadletter.Summary, error) {
	return deadletter.Redrive(ctx, l.Offline, o)
}

func (l *local) Drop(ctx context.Context, o deadletter.Options) (deadletter.Summary, error) {
	return deadletter.Drop(ctx, l.Offline, o)
}

func (l *local) SendBack(ctx context.Context, file io.Reader, format deadletter.Format, o deadletter.Options) (deadletter.Summary, error) {
	return deadletter.SendBack(ctx, l.Offline, deadletter.Import(file, format), o)
}

func (l *local) Close() error { return errors.Join(l.Offline.Close(), l.leave()) }

// service is a desk in the process that holds the directory.
func (p *program) service(ctx context.Context, held *filejournal.HeldError) (*remote, error) {
	if _, err := os.Stat(filepath.Join(p.dir, control.SocketName)); err != nil {
		return nil, fmt.Errorf("%w (it has no control socket to ask it through)", held)
	}
	r := &remote{control.Dial(p.dir)}
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, err := range r.All(asked, deadletter.Filter{Limit: 1}) { // is anybody there?
		dial := new(net.OpError)
		if errors.As(err, &dial) && dial.Op == "dial" || asked.Err() != nil && ctx.Err() == nil {
			return nil, errors.Join(fmt.Errorf("%w (it does not answer at its control socket: %w)", held, err), r.Close())
		}
	}
	return r, nil
}

// patience is how long a service may take to say that it is there: one that is
// stopped by a debugger, or hangs, never does.
const patience = 5 * time.Second

type remote struct{ *control.Client }

func (r *remote) Close() error {
	r.Client.Close()
	return nil
}
