package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

var payload = bytes.Repeat([]byte("x"), 200)

// BenchmarkJournalAlways has each of n submitters wait until its item of 200
// bytes withstands a power loss. bbolt is given what suits it best: a
// transaction each for one submitter, shared ones for several.
func BenchmarkJournalAlways(b *testing.B) {
	for _, n := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("submitters=%d/peer=lastcall", n), func(b *testing.B) {
			j := openJournal(b)
			split(b, n, func() error {
				_, err := j.Append(context.Background(), journal.Entry{Codec: "json", Payload: payload})
				return err
			})
		})
		b.Run(fmt.Sprintf("submitters=%d/peer=bbolt", n), func(b *testing.B) {
			put := openBolt(b, n)
			split(b, n, put)
		})
	}
}

func openJournal(b *testing.B) journal.Journal {
	b.Helper()
	d, err := filejournal.Open(filejournal.Config{Dir: b.TempDir(), Sync: filejournal.SyncAlways, MaxBytes: 8 << 30})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, d.Close()) })
	j, err := d.Open(context.Background(), "bench")
	require.NoError(b, err)
	return j
}

// openBolt returns what puts one item into a fresh database.
func openBolt(b *testing.B, submitters int) func() error {
	b.Helper()
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bolt"), 0o600, nil)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	name := []byte("work")
	require.NoError(b, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(name)
		return err
	}))
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
		return func() error { return db.Update(put) }
	}
	// A transaction begins when all who can wait do, and not only after the
	// default delay of 10 ms.
	db.MaxBatchSize, db.MaxBatchDelay = submitters, time.Millisecond
	return func() error { return db.Batch(put) }
}

// split calls do b.N times in all from n goroutines, and reports items/s.
func split(b *testing.B, n int, do func() error) {
	b.Helper()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range n {
		times := b.N / n
		if i < b.N%n {
			times++
		}
		wg.Go(func() {
			for range times {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
}
