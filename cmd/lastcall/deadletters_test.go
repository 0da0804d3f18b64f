package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/control"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

func TestList(t *testing.T) {
	t.Parallel()
	poison := letter(9)
	poison.Reason, poison.Component, poison.Last = journal.ReasonPoison, "batch:orders", "no\x1b[2Jsuch\ncolumn "+strings.Repeat("x", 100)
	dir := leave(t, 1, append(letters(5), poison)...)
	before := fingerprint(t, dir)

	t.Run("AsATable", func(t *testing.T) {
		t.Parallel()
		r := lastcall(t, dir, "deadletters", "list")
		require.Equal(t, exitOK, r.code, r.err)
		require.Equal(t, "6 dead letters\n", r.err)
		lines := strings.Split(strings.TrimSpace(r.out), "\n")
		require.Len(t, lines, 7)
		require.Contains(t, lines[1], "lane:sms      m-1  receiver-1  retries  3      503")
		require.NotContains(t, r.out, "\x1b", "what came from outside moves nothing on a terminal")
		require.Contains(t, lines[6], "no�[2Jsuch column xxx")
		require.Contains(t, lines[6], "…")
	})

	for name, tt := range map[string]struct{ args, want string }{
		"Component": {"--component batch:orders", "m-9"},
		"Key":       {"--key receiver-0", "m-2 m-4"},
		"Reason":    {"--reason poison", "m-9"},
		"Since":     {"--since 2026-01-31T12:05:00Z", "m-5 m-9"},
		"Until":     {"--until 2026-01-31T12:02:00Z", "m-1"},
		"Limit":     {"--limit 2", "m-1 m-2"},
		"IDs":       {"m-3 m-9", "m-3 m-9"},
		"Several":   {"--key receiver-1 --component lane:sms --since 2026-01-31T12:02:00Z", "m-3 m-5"},
		"None":      {"--since 0s", ""},
	} {
		t.Run("ChosenBy"+name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, strings.Fields(tt.want), ids(t, dir, strings.Fields(tt.args)...))
		})
	}

	t.Run("AsJSONAndCSV", func(t *testing.T) {
		t.Parallel()
		var all []map[string]any
		require.NoError(t, json.Unmarshal([]byte(lastcall(t, dir, "dl", "list", "-o", "json").out), &all))
		require.Len(t, all, 6)
		require.Equal(t, "503", all[0]["last_error"])
		require.True(t, strings.HasPrefix(lastcall(t, dir, "dl", "list", "-o", "csv").out, "id,component,"))
		require.Equal(t, "[]\n", lastcall(t, dir, "dl", "list", "-o", "json", "--key", "nobody").out)
	})

	t.Cleanup(func() { require.Equal(t, before, fingerprint(t, dir)) })
}

func TestShow(t *testing.T) {
	t.Parallel()
	binary, text := letter(2), letter(3)
	binary.Payload, text.Payload, text.Codec = []byte("\x00\xff"), []byte("two\n\x1blines"), "text"
	dir := leave(t, 1, letter(1), binary, text)
	before := fingerprint(t, dir)
	r := lastcall(t, dir, "deadletters", "show", "m-1")
	require.Equal(t, exitOK, r.code, r.err)
	for _, want := range []string{"id:          m-1\n", "component:   lane:sms\n", "reason:      retries\n", "first error: timeout\n", "codec:       json, version 0\n", "payload:     10 bytes\n  {\n    \"to\": \"1\"\n  }\n"} {
		require.Contains(t, r.out, want)
	}
	require.Contains(t, lastcall(t, dir, "deadletters", "show", "m-2").out, "00000000  00 ff")
	require.Contains(t, lastcall(t, dir, "deadletters", "show", "m-3").out, "  two\n  �lines\n")

	r = lastcall(t, dir, "deadletters", "show", "m-1", "m-7", "--output", "jsonl")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.out, `"id":"m-1"`)
	require.Contains(t, r.err, `no dead letter with the id "m-7"`)
	require.Equal(t, before, fingerprint(t, dir))
}

// TestEditAndSendAgain is the way of a CSV through the hands of a person.
func TestEditAndSendAgain(t *testing.T) {
	t.Parallel()
	nasty := letter(4)
	nasty.Key, nasty.Last = "=cmd()", "he said \"no\", twice\nGrüße"
	nasty.Payload = []byte(`{"to":"Ada, \"the first\"","text":"世界"}`)
	binary := letter(5)
	binary.Codec, binary.Payload = "own", []byte("\x00\xff\r\n")
	dir := leave(t, 0, append(letters(3), nasty, binary)...)
	file := filepath.Join(t.TempDir(), "letters.csv")
	r := lastcall(t, dir, "deadletters", "export", "--file", file)
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, file+": 5 dead letters\n", r.err)
	require.Len(t, ids(t, dir), 5, "they stay in the box")

	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(data), "'=cmd()")
	edited := strings.ReplaceAll(string(data), `{""to"":""1""}`, `{""to"":""Bob""}`)
	edited = strings.ReplaceAll(edited, "m-2,lane:sms", "m-2,") // a slip
	edited = strings.ReplaceAll(edited, "\n", "\r\n")           // by another editor
	require.NoError(t, os.WriteFile(file, []byte(edited), 0o600))

	before := fingerprint(t, dir)
	r = lastcall(t, dir, "deadletters", "import", file, "--dry-run")
	require.Equal(t, exitPartly, r.code, r.err)
	require.Equal(t, "dry run, nothing was changed: would have sent 4 of 5 dead letters; 1 not sent\n", r.out)
	require.Equal(t, before, fingerprint(t, dir))

	r = lastcall(t, dir, "deadletters", "import", file)
	require.Equal(t, exitPartly, r.code, r.err)
	require.Equal(t, "sent 4 of 5 dead letters; 1 not sent\n", r.out)
	require.Equal(t, "  line 3: component: is empty; it says which letter this is\n", r.err)
	require.Equal(t, []string{"m-2"}, ids(t, dir))
	require.Equal(t, []string{`m-1 {"to":"Bob"}`, `m-3 {"to":"3"}`, "m-4 " + string(nasty.Payload), "m-5 \x00\xff\r\n"}, lane(t, dir))

	r = lastcall(t, dir, "deadletters", "import", file)
	require.Equal(t, exitPartly, r.code)
	require.Equal(t, "sent 0 of 5 dead letters; 1 not sent; 4 not in the box\n", r.out)
	require.Contains(t, r.err, "line 2: lane:sms m-1: it is not in the box")
	require.Len(t, lane(t, dir), 4, "a file that is sent twice does its work once")

	p := &program{in: strings.NewReader("id,component,codec,payload\nm-9,lane:sms,json,{}\n")}
	r = with(t, p, dir, "deadletters", "import", "-", "--format", "csv", "--missing", "-o", "json")
	require.Equal(t, exitOK, r.code, r.err)
	require.JSONEq(t, `{"matched":1,"done":1}`, r.out)
	require.Len(t, lane(t, dir), 5)
}

func TestRedrive(t *testing.T) {
	t.Parallel()

	t.Run("IntoTheJournalOfTheComponent", func(t *testing.T) {
		t.Parallel()
		other := letter(9)
		other.Component = "lane:mail" // which no service has kept
		dir := leave(t, 2, append(letters(3), other)...)

		before := fingerprint(t, dir)
		r := lastcall(t, dir, "deadletters", "redrive", "--all", "--dry-run")
		require.Equal(t, exitPartly, r.code, r.err)
		require.Contains(t, r.out, "dry run, nothing was changed: would have sent 3 of 4 dead letters")
		require.Equal(t, before, fingerprint(t, dir))

		r = lastcall(t, dir, "deadletters", "redrive", "rnet")
		require.Equal(t, exitPartly, r.code)
		require.Equal(t, "sent 0 of 1 dead letter; 1 not in the box\n", r.out)
		require.Equal(t, "  rnet: there is no such letter in the box\n", r.err)

		r = lastcall(t, dir, "deadletters", "redrive", "m-3", "m-2")
		require.Equal(t, exitOK, r.code, r.err)
		require.Equal(t, "sent 2 of 2 dead letters\n", r.out)
		r = lastcall(t, dir, "deadletters", "redrive", "--all", "--output", "json")
		require.Equal(t, exitPartly, r.code)
		var s deadletter.Summary
		require.NoError(t, json.Unmarshal([]byte(r.out), &s))
		require.Equal(t, []int{2, 1, 1}, []int{s.Matched, s.Done, s.Failed})
		require.Contains(t, s.Failures[0].Error, `no journal "lane:mail" to append it to; there are: lane:sms`)
		require.Equal(t, []string{"m-9"}, ids(t, dir))
		require.Equal(t, []string{`m-2 {"to":"2"}`, `m-3 {"to":"3"}`, `m-1 {"to":"1"}`}, lane(t, dir)[1:])
	})

	t.Run("ShowsABarToWhoWatches", func(t *testing.T) {
		t.Parallel()
		r := with(t, &program{watches: true}, leave(t, 0, letters(3)...), "deadletters", "redrive", "--all")
		require.Equal(t, exitOK, r.code, r.err)
		require.Contains(t, r.err, "/3)")
		require.Equal(t, "sent 3 of 3 dead letters\n", r.out)
	})

	t.Run("TheBarOfAnImportCountsItsRows", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 0, letters(6)...)
		file := filepath.Join(t.TempDir(), "letters.csv")
		rows := "id,component,payload\nm-1,lane:sms,{}\nm-2,lane:sms,{}\n,,\nm-3,,{}\nm-4,lane:sms,{}\n"
		require.NoError(t, os.WriteFile(file, []byte(rows), 0o600))
		r := with(t, &program{watches: true}, dir, "deadletters", "import", file, "--dry-run")
		require.Equal(t, exitPartly, r.code, r.err)
		r = with(t, &program{watches: true}, dir, "deadletters", "import", file)
		require.Equal(t, exitPartly, r.code, r.err)
		require.Contains(t, r.out, "sent 3 of 4 dead letters")
		require.Contains(t, r.err, "/4)")
		p := &program{watches: true, in: strings.NewReader(rows)}
		r = with(t, p, dir, "deadletters", "import", "-", "--format", "csv")
		require.Equal(t, exitPartly, r.code, r.err)
		require.NotContains(t, r.err, "/", "nobody knows how many come from a pipe")
	})

	t.Run("AnInterruptLeavesTheRestInTheBox", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 0, letters(3)...)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out, errs strings.Builder
		require.Equal(t, exitFailed, run(ctx, []string{"deadletters", "redrive", "--all", "--dir", dir}, strings.NewReader(""), &out, &errs))
		require.Contains(t, errs.String(), "context canceled")
		require.Len(t, ids(t, dir), 3)
	})
}

func TestDrop(t *testing.T) {
	t.Parallel()
	dir := leave(t, 0, letters(4)...)
	before := fingerprint(t, dir)

	r := lastcall(t, dir, "deadletters", "drop", "m-1")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.err, "--yes: is needed where there is no terminal")
	r = lastcall(t, dir, "deadletters", "drop", "m-1", "--dry-run")
	require.Equal(t, exitOK, r.code, r.err)
	require.Contains(t, r.out, "would have dropped 1 of 1 dead letter\n")
	r = with(t, &program{asks: true, in: strings.NewReader("n\n")}, dir, "deadletters", "drop", "--key", "receiver-0")
	require.Equal(t, exitFailed, r.code)
	require.Equal(t, "Throw 2 dead letters away for good? [y/N] lastcall: nothing was dropped\n", r.err)
	require.Equal(t, exitFailed, with(t, &program{asks: true}, dir, "deadletters", "drop", "m-1").code, "no answer is no")
	require.Equal(t, before, fingerprint(t, dir))

	r = with(t, &program{asks: true, in: strings.NewReader("Yes\n")}, dir, "deadletters", "drop", "--key", "receiver-0")
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, []string{"m-1", "m-3"}, ids(t, dir))
	r = lastcall(t, dir, "deadletters", "drop", "--all", "--yes", "-o", "jsonl")
	require.Equal(t, exitOK, r.code, r.err)
	require.JSONEq(t, `{"matched":2,"done":2}`, r.out)
	require.Empty(t, ids(t, dir))
	require.Empty(t, lane(t, dir))
}

// TestDropThrowsAwayWhatWasAskedAbout: letters come while a person makes up
// their mind.
func TestDropThrowsAwayWhatWasAskedAbout(t *testing.T) {
	t.Parallel()

	t.Run("NotThoseThatCameSince", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 0, letters(2)...)
		late, lateAndOld := letter(3), letter(4)
		late.Died, lateAndOld.Died = time.Now().Add(time.Hour), noon.Add(-time.Hour)
		p := &program{asks: true, in: meanwhile{func() { put(t, dir, lateAndOld, late) }}}
		r := with(t, p, dir, "deadletters", "drop", "--all")
		require.Equal(t, exitOK, r.code, r.err)
		require.Contains(t, r.err, "Throw 2 dead letters away")
		require.Equal(t, "dropped 2 of 2 dead letters\n", r.out)
		require.Equal(t, []string{"m-4", "m-3"}, ids(t, dir))
	})

	t.Run("NotOthersInThePlaceOfThoseThatHaveGone", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 0, letters(2)...)
		late := letter(3)
		late.Died = time.Now().Add(time.Hour)
		p := &program{asks: true, in: meanwhile{func() {
			put(t, dir, late)
			require.Equal(t, exitOK, lastcall(t, dir, "deadletters", "redrive", "m-1").code)
		}}}
		r := with(t, p, dir, "deadletters", "drop", "--all")
		require.Equal(t, exitOK, r.code, r.err)
		require.Equal(t, []string{"m-3"}, ids(t, dir))
	})

	t.Run("WhereThereIsNoneNobodyIsAsked", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 0, letters(1)...)
		p := &program{asks: true, in: meanwhile{func() { t.Error("it asks") }}}
		r := with(t, p, dir, "deadletters", "drop", "--key", "nobody")
		require.Equal(t, exitOK, r.code, r.err)
		require.Equal(t, "dropped 0 of 0 dead letters\n", r.out)
		r = with(t, p, dir, "deadletters", "drop", "rnet")
		require.Equal(t, exitPartly, r.code)
		require.Equal(t, "  rnet: there is no such letter in the box\n", r.err)
		require.Len(t, ids(t, dir), 1)
	})
}

// meanwhile is a person who says yes, after something has happened.
type meanwhile struct{ happens func() }

func (m meanwhile) Read(answer []byte) (int, error) {
	m.happens()
	return copy(answer, "yes\n"), nil
}

// put adds letters to the box of a service that has stopped.
func put(t *testing.T, dir string, letters ...journal.DeadLetter) {
	t.Helper()
	d, err := filejournal.Open(filejournal.Config{Dir: dir, SegmentBytes: 64 << 10})
	require.NoError(t, err)
	box := journal.NewDeadLetters(d)
	require.NoError(t, box.Put(t.Context(), letters...))
	require.NoError(t, box.Close())
	require.NoError(t, d.Close())
}

// TestRunningService asks a service that holds its directory.
func TestRunningService(t *testing.T) {
	t.Parallel()
	dir := leave(t, 0, letters(6)...)
	s := startService(t, dir, true)
	require.Equal(t, []string{"m-1", "m-2", "m-3", "m-4", "m-5", "m-6"}, ids(t, dir))
	require.Equal(t, []string{"m-2"}, ids(t, dir, "--key", "receiver-0", "--limit", "1"))
	require.Contains(t, lastcall(t, dir, "deadletters", "show", "m-2").out, `"to": "2"`)
	file := filepath.Join(t.TempDir(), "letters.csv")
	require.Equal(t, exitOK, lastcall(t, dir, "deadletters", "export", "m-3", "m-4", "--file", file).code)

	for _, args := range [][]string{{"redrive", "--all"}, {"drop", "--all"}, {"import", file}} {
		r := lastcall(t, dir, append([]string{"deadletters"}, append(args, "--dry-run")...)...)
		require.Equal(t, exitOK, r.code, r.err)
		require.Contains(t, r.out, "dry run, nothing was changed")
	}
	require.Len(t, ids(t, dir), 6)

	r := lastcall(t, dir, "deadletters", "redrive", "m-1")
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, `took m-1 {"to":"1"}`, s.line(t))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), `""3""`, `""Ada""`)), 0o600))
	r = lastcall(t, dir, "deadletters", "import", file)
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, `took m-3 {"to":"Ada"}`, s.line(t))
	require.Equal(t, `took m-4 {"to":"4"}`, s.line(t))
	r = lastcall(t, dir, "deadletters", "drop", "m-2", "--yes")
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, []string{"m-5", "m-6"}, ids(t, dir))

	r = lastcall(t, dir, "journal", "verify")
	require.Equal(t, exitOK, r.code, r.err)
	require.Contains(t, r.out, "lane:sms: intact (0 entries in ")
	require.Contains(t, lastcall(t, dir, "journal", "inspect", "deadletters").out, "(1 empty)")
	r = lastcall(t, dir, "journal", "export", "deadletters")
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, 2, strings.Count(r.out, "\n"), r.out)
	entries := filepath.Join(t.TempDir(), "entries.csv")
	r = lastcall(t, dir, "journal", "export", "deadletters", "--file", entries)
	require.Equal(t, entries+": written\n", r.err)
	r = lastcall(t, dir, "journal", "export", "lane:mail", "--file", entries, "--force")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.err, `"lane:mail" is not open in this process`)
	there, err := os.ReadDir(filepath.Dir(entries))
	require.NoError(t, err)
	require.Len(t, there, 1, "what was there stays when there is nothing better, and nothing half done is beside it")

	s.kill(t)
	require.FileExists(t, filepath.Join(dir, control.SocketName), "nobody has removed it")
	require.Equal(t, []string{"m-5", "m-6"}, ids(t, dir), "the files say the same")
	again := startService(t, dir, true)
	require.Equal(t, []string{"m-5", "m-6"}, ids(t, dir))
	again.stop(t)
	require.NoFileExists(t, filepath.Join(dir, control.SocketName))
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	now := noon
	for give, want := range map[string]time.Time{
		"":                     {},
		"2h":                   noon.Add(-2 * time.Hour),
		"3d":                   noon.Add(-72 * time.Hour),
		"1.5d":                 noon.Add(-36 * time.Hour),
		"2026-01-30T10:00:00Z": time.Date(2026, 1, 30, 10, 0, 0, 0, time.UTC),
		"2026-01-30":           time.Date(2026, 1, 30, 0, 0, 0, 0, time.Local),
		"2026-01-30 10:30":     time.Date(2026, 1, 30, 10, 30, 0, 0, time.Local),
	} {
		got, err := parseTime(give, now)
		require.NoError(t, err)
		require.True(t, want.Equal(got), "%s: %s", give, got)
	}
	for _, wrong := range []string{"yesterday", "-2h", "-1d", "d", "31.01.2026"} {
		_, err := parseTime(wrong, now)
		require.ErrorContains(t, err, "give how long ago")
	}
}
