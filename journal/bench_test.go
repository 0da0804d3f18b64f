package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// raw is the codec of bytes, so that what is measured is the keeper.
var raw = journal.Codec[[]byte]{
	Name:   "raw",
	Encode: func(dst, v []byte) ([]byte, error) { return append(dst, v...), nil },
	Decode: func(payload []byte, _ int) ([]byte, error) { return bytes.Clone(payload), nil },
}

func benchKeeper(b *testing.B, sync filejournal.Sync) *journal.Keeper[[]byte] {
	b.Helper()
	d, err := filejournal.Open(filejournal.Config{Dir: b.TempDir(), Sync: sync, MaxBytes: 8 << 30})
	require.NoError(b, err)
	k, err := journal.NewKeeper("lane:bench", d, raw, nil)
	require.NoError(b, err)
	require.NoError(b, k.Open(context.Background()))
	b.Cleanup(func() {
		require.NoError(b, k.Close())
		require.NoError(b, d.Close())
	})
	return k
}

// BenchmarkKeeper is the way of an item of 200 bytes through a keeper, kept
// and done, beside one hop of a buffered channel.
func BenchmarkKeeper(b *testing.B) {
	payload := bytes.Repeat([]byte("x"), 200)
	b.Run("channel hop", func(b *testing.B) {
		hop := make(chan []byte, 4096)
		var reader sync.WaitGroup
		reader.Go(func() {
			for range hop {
			}
		})
		for b.Loop() {
			hop <- payload
		}
		close(hop)
		reader.Wait()
	})
	for _, sync := range []filejournal.Sync{filejournal.SyncProcess, filejournal.SyncAlways} {
		for _, group := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s/groups of %d", sync, group), func(b *testing.B) {
				k := benchKeeper(b, sync)
				items := make([]journal.Item[[]byte], group)
				seqs := make([]uint64, group)
				b.ReportAllocs()
				b.ResetTimer()
				for n := 0; n < b.N; n += group {
					for i := range items {
						items[i] = journal.Item[[]byte]{Value: payload}
					}
					if err := k.Keep(context.Background(), items); err != nil {
						b.Fatal(err)
					}
					for i := range items {
						seqs[i] = items[i].Seq
					}
					k.Done(seqs...)
				}
			})
		}
	}
}

// BenchmarkKeeperSoon is that way as an item of a lane goes it: kept alone, and
// done, with n others at work, as one of those that come soon.
func BenchmarkKeeperSoon(b *testing.B) {
	payload := bytes.Repeat([]byte("x"), 200)
	for _, n := range []int{0, 64} {
		b.Run(fmt.Sprintf("%d at work", n), func(b *testing.B) {
			k := benchKeeper(b, filejournal.SyncProcess)
			seqs := make([]uint64, n+1)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				items := [1]journal.Item[[]byte]{{Value: payload}}
				if err := k.Keep(context.Background(), items[:]); err != nil {
					b.Fatal(err)
				}
				seqs[i%len(seqs)] = items[0].Seq
				if i >= n {
					k.DoneSoon(seqs[(i+1)%len(seqs)])
				}
			}
		})
	}
}

// BenchmarkKeeperSave writes down what a stop has left over: 100,000 items of
// 200 bytes.
func BenchmarkKeeperSave(b *testing.B) {
	payload := bytes.Repeat([]byte("x"), 200)
	for _, sync := range []filejournal.Sync{filejournal.SyncProcess, filejournal.SyncAlways} {
		b.Run(sync.String(), func(b *testing.B) {
			items := make([]journal.Item[[]byte], 100_000)
			for range b.N {
				b.StopTimer()
				k := benchKeeper(b, sync)
				for i := range items {
					items[i] = journal.Item[[]byte]{Value: payload}
				}
				b.StartTimer()
				if err := k.Save(context.Background(), items); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
