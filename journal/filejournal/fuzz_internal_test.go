package filejournal

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
)

// FuzzDecode: whatever the bytes, decode returns; and what it reads is written
// back as the same entry.
func FuzzDecode(f *testing.F) {
	for _, e := range []journal.Entry{
		{},
		{ID: "1", Kind: "sms", Key: "k", Codec: "json", Version: 2, Attempt: -3, At: time.Unix(1, 2), Payload: []byte("{}")},
	} {
		p := make([]byte, entrySize(&e)+8)
		putEntry(p, 0, 1, &e)
		f.Add(p[frameHead : frameHead+int(le.Uint32(p[4:]))])
	}
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := decode(body)
		if err != nil {
			require.ErrorIs(t, err, errBody)
			return
		}
		p := make([]byte, entrySize(&e)+8)
		require.Equal(t, len(p)-8, putEntry(p, 7, 9, &e))
		got, ok := parse(p, 0, 7, 9, 9)
		require.True(t, ok)
		again, err := decode(got.body)
		require.NoError(t, err)
		require.Equal(t, e, again)
	})
}

// FuzzSegment: whatever a file holds, the journal opens, replays what has a
// good checksum, and can be used.
func FuzzSegment(f *testing.F) {
	k := key{number: 3, epoch: 5}
	whole := make([]byte, 2*headerSize)
	header{key: k, base: 7, size: int64(len(whole))}.put(whole)
	at := headerSize
	for i := range 3 {
		e := journal.Entry{Payload: []byte(text(i))}
		at += putEntry(whole[at:], k.seed(), 7+uint64(i), &e)
	}
	putSeal(whole[at:], k.seed(), 10)
	putSlot(whole[slotAt(int64(len(whole)), 0):], k.seed(), 0, 8, 1)
	f.Add(whole)
	f.Add(whole[:headerSize+10])
	f.Add(whole[headerSize:])
	f.Add([]byte{})
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := newMemDisk()
		cfg := small(SyncProcess)
		d.put(cfg.Dir+"/"+dirName("test")+"/"+k.name(), slices.Clone(data))
		j := openOnDisk(t, d, cfg)
		found := texts(t, j)
		appendText(t, j, 1)
		require.Len(t, texts(t, j), len(found)+1)
		require.NoError(t, j.Close())
		j = openOnDisk(t, d, cfg)
		require.Len(t, texts(t, j), len(found)+1)
		require.NoError(t, j.Close())
	})
}
