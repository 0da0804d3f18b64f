package filejournal

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
)

// small is the smallest journal: a page of frames in each segment.
func small(sync Sync) Config {
	return Config{Dir: "/d", Sync: sync, SegmentBytes: 2 * headerSize, MaxBytes: 1 << 20, WhenFull: Reject}
}

func openOnDisk(t *testing.T, d *memDisk, cfg Config) *Journal {
	t.Helper()
	j, err := openJournal(t.Context(), d, cfg, "test", func() {})
	require.NoError(t, err)
	return j
}

// crash ends a journal as the death of the process would.
func (j *Journal) crash() {
	j.shut.Do(func() { _ = j.abandon() })
}

// now is a copy of the segments that hold entries: the goroutines of a journal
// change the segments themselves, under its mutex.
func (j *Journal) now() (segments []*segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		c := *s
		segments = append(segments, &c)
	}
	return segments
}

// activeNow is a copy of the active segment. Where there is none, it fits
// nothing.
func (j *Journal) activeNow() *segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	var c segment
	if j.active != nil {
		c = *j.active
	}
	return &c
}

// tidied returns when what was discarded has been removed: whoever does that
// tells that there is room, and is done if there is no more to do.
func (j *Journal) tidied() {
	for {
		j.mu.Lock()
		tidying, room := j.tidying, j.room
		j.mu.Unlock()
		if !tidying {
			return
		}
		<-room
	}
}

// long: LONG_TESTS is set; nothing is left out.
var long = os.Getenv("LONG_TESTS") != ""

// stride leaves out all but every n-th, in a short run. n is a prime: what
// repeats itself, as words, bits and compactions do, is met at each of its
// places.
func stride(n int) int {
	if long {
		return 1
	}
	return n
}

var filling = strings.Repeat("x", 300)

// text is a payload that can be told from every other, of a size that varies.
func text(i int) string { return "entry " + strconv.Itoa(i) + " " + filling[:i*37%300] }

func appendText(t *testing.T, j *Journal, i int) journal.Span {
	t.Helper()
	span, err := j.Append(t.Context(), journal.Entry{Payload: []byte(text(i))})
	require.NoError(t, err)
	return span
}

func ack(t *testing.T, j *Journal, span journal.Span) {
	t.Helper()
	require.NoError(t, j.Ack(t.Context(), span))
}

// texts is what a replay yields.
func texts(t *testing.T, j *Journal) []string {
	t.Helper()
	var got []string
	var last uint64
	for e, err := range j.Replay(t.Context()) {
		if err != nil || e.Seq <= last { // thousands of replays come by: require would take longer than they
			require.NoError(t, err)
			require.Greater(t, e.Seq, last)
		}
		last = e.Seq
		got = append(got, string(e.Payload))
	}
	require.Len(t, got, j.Len(), "Len is what a replay yields")
	return got
}

// requireSubset is require.Subset, in less time than all that is tested takes.
func requireSubset(t *testing.T, list, subset []string, msg ...any) {
	t.Helper()
	in := map[string]bool{}
	for _, text := range list {
		in[text] = true
	}
	for _, text := range subset {
		if !in[text] {
			require.Contains(t, list, text, msg...)
		}
	}
}
