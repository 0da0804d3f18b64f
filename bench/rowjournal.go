package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// payload is what journal rows write down.
var payload = bytes.Repeat([]byte("x"), 200)

// syncRows have each submitter wait until its item withstands a power loss.
func syncRows() []harness.Row {
	row := func(submitters, n int) harness.Row {
		return harness.Row{
			ID:     fmt.Sprintf("sync%d", submitters),
			Title:  fmt.Sprintf("Items that withstand a power loss, %d submitting", submitters),
			Work:   "each submitter waits until its item of 200 bytes is on the disk, then brings the next",
			N:      n,
			ShortN: 2 * submitters,
			Contestants: []harness.Contestant{
				{
					Name: "bbolt", Setup: "keys in order; Update for one submitter, Batch without a delay for several",
					Run: func(t *harness.Trial) error { return runSync(t, submitters, openBolt) },
				},
				{
					Name: "lastcall", Setup: "filejournal, sync: always",
					Run: func(t *harness.Trial) error { return runSync(t, submitters, openJournal) },
				},
			},
			Notes: []string{"A database keeps more promises than a journal needs; it is what one takes when there is no journal."},
		}
	}
	return []harness.Row{row(1, 500), row(16, 4_000), row(256, 20_000)}
}

// store puts one item down, and closes.
type store struct {
	put   func() error
	close func() error
}

func runSync(t *harness.Trial, submitters int, open func(dir string, submitters int) (store, error)) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := open(dir, submitters)
	if err != nil {
		return err
	}
	var did atomic.Int64
	t.Begin()
	var all sync.WaitGroup
	for i := range submitters {
		n := share(t.N, submitters, i)
		all.Go(func() {
			for range n {
				if s.put() != nil {
					return
				}
				did.Add(1)
			}
		})
	}
	all.Wait()
	t.End(int(did.Load()))
	return s.close()
}

func openJournal(dir string, _ int) (store, error) {
	d, err := filejournal.Open(filejournal.Config{Dir: dir, Sync: filejournal.SyncAlways, MaxBytes: 8 << 30})
	if err != nil {
		return store{}, err
	}
	j, err := d.Open(context.Background(), "bench")
	if err != nil {
		return store{}, err
	}
	put := func() error {
		_, err := j.Append(context.Background(), journal.Entry{Codec: "json", Payload: payload})
		return err
	}
	return store{put, d.Close}, nil
}

func openBolt(dir string, submitters int) (store, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bolt"), 0o600, nil)
	if err != nil {
		return store{}, err
	}
	name := []byte("work")
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(name)
		return err
	})
	if err != nil {
		return store{}, err
	}
	put := func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(name)
		bucket.FillPercent = 1 // keys come in order
		seq, err := bucket.NextSequence()
		if err != nil {
			return err
		}
		return bucket.Put(binary.BigEndian.AppendUint64(nil, seq), payload)
	}
	if submitters == 1 {
		return store{func() error { return db.Update(put) }, db.Close}, nil
	}
	// A transaction begins when all who can wait do, and not only after the
	// default delay of 10 ms.
	db.MaxBatchSize, db.MaxBatchDelay = submitters, time.Millisecond
	return store{func() error { return db.Batch(put) }, db.Close}, nil
}
