package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// spoil flips a bit of the first entries of the lane.
func spoil(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "j-lane%3Asms", "*.segment"))
	require.NoError(t, err)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	data[4096+900] ^= 1
	require.NoError(t, os.WriteFile(files[0], data, 0o600))
}

func TestInspect(t *testing.T) {
	t.Parallel()

	t.Run("AsATable", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 300, letters(2)...)
		before := fingerprint(t, dir)
		r := lastcall(t, dir, "journal", "inspect")
		require.Equal(t, exitOK, r.code, r.err)
		lines := strings.Split(r.out, "\n")
		require.Equal(t, strings.Fields("JOURNAL LIVE ACKNOWLEDGED SIZE SEGMENTS OLDEST DAMAGE"), strings.Fields(lines[0]))
		require.Equal(t, []string{"deadletters", "2", "0", "64", "KiB", "1"}, strings.Fields(lines[1])[:6])
		require.Equal(t, []string{"lane:sms", "200", "100", "128", "KiB", "2"}, strings.Fields(lines[2])[:6])
		require.Equal(t, before, fingerprint(t, dir))
		require.Empty(t, r.err)

		r = lastcall(t, dir, "journal", "inspect", "lane:sms")
		require.Equal(t, exitOK, r.code, r.err)
		require.Equal(t, 2, strings.Count(r.out, "  sealed  "), r.out)
		require.NotContains(t, r.out, "deadletters")
	})

	t.Run("AsJSON", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 30, letters(2)...)
		var all []filejournal.Inspection
		r := lastcall(t, dir, "journal", "inspect", "-o", "json")
		require.NoError(t, json.Unmarshal([]byte(r.out), &all))
		require.Len(t, all, 2)
		require.Equal(t, 20, all[1].Live)
		require.True(t, noon.Equal(all[1].Oldest))
		lines := strings.Split(strings.TrimSpace(lastcall(t, dir, "journal", "inspect", "-o", "jsonl").out), "\n")
		require.Len(t, lines, 2)
		var one filejournal.Inspection
		require.NoError(t, json.Unmarshal([]byte(lines[1]), &one))
		require.Equal(t, all[1], one)
	})

	t.Run("AfterAKill", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 30)
		startService(t, dir, false).kill(t)
		r := lastcall(t, dir, "journal", "inspect")
		require.Equal(t, exitOK, r.code, r.err)
		require.Contains(t, r.out, "(1 empty)")
	})

	t.Run("ANameThatIsNotThere", func(t *testing.T) {
		t.Parallel()
		r := lastcall(t, leave(t, 1), "journal", "inspect", "lane:smss")
		require.Equal(t, exitFailed, r.code)
		require.Contains(t, r.err, `there is no journal "lane:smss"`)
		require.Contains(t, r.err, "lane:sms")
	})

	t.Run("ADirectoryThatHasNothingToDoWithIt", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		for _, args := range [][]string{{"journal", "inspect"}, {"journal", "export", "x"}, {"deadletters", "list"}, {"deadletters", "drop", "--all", "--yes"}} {
			r := lastcall(t, dir, args...)
			require.Equal(t, exitFailed, r.code)
			require.Contains(t, r.err, "no service has kept journals in "+dir)
			r = lastcall(t, dir+"/missing", args...)
			require.Equal(t, exitFailed, r.code)
			require.Contains(t, r.err, "there is no directory "+dir+"/missing; give that of the service with --dir")
		}
		found, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, found, "it made itself at home")
	})
}

func TestVerify(t *testing.T) {
	t.Parallel()

	t.Run("Intact", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 30, letters(1)...)
		r := lastcall(t, dir, "journal", "verify")
		require.Equal(t, exitOK, r.code, r.err)
		require.Equal(t, "deadletters: intact (1 entry in 64 KiB)\nlane:sms: intact (30 entries in 64 KiB)\n", r.out)
	})

	t.Run("DamageHasAnExitCodeOfItsOwn", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 30, letters(1)...)
		spoil(t, dir)
		before := fingerprint(t, dir)
		r := lastcall(t, dir, "journal", "verify")
		require.Equal(t, exitDamage, r.code, r.err)
		require.Empty(t, r.err)
		require.Contains(t, r.out, "deadletters: intact")
		require.Contains(t, r.out, "lane:sms: DAMAGED: 1 place, 1 entry lost")
		require.Contains(t, r.out, "it is no frame, or its checksum is wrong; entries 3, not acknowledged: 1")
		require.Equal(t, before, fingerprint(t, dir))

		require.Equal(t, exitOK, lastcall(t, dir, "journal", "verify", "deadletters").code)
		r = lastcall(t, dir, "journal", "verify", "--output", "jsonl")
		require.Equal(t, exitDamage, r.code)
		require.Contains(t, r.out, `"lost":1`)
		require.Contains(t, lastcall(t, dir, "journal", "inspect").out, "1 place, 1 entry lost")

		startService(t, dir, false).stop(t) // which puts the bytes into quarantine
		r = lastcall(t, dir, "journal", "verify")
		require.Equal(t, exitDamage, r.code)
		require.Contains(t, r.out, "lane:sms: in quarantine: "+dir)
	})

	t.Run("ShowsABarToWhoWatches", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 300, letters(1)...)
		r := with(t, &program{watches: true}, dir, "journal", "verify")
		require.Equal(t, exitOK, r.code)
		require.Contains(t, r.err, "reading")
		require.Contains(t, r.err, "/192 KiB")
		require.NotContains(t, r.out, "reading")
		require.Empty(t, lastcall(t, dir, "journal", "verify").err, "nobody watches")
	})
}

func TestJournalExport(t *testing.T) {
	t.Parallel()
	dir := leave(t, 30)
	before := fingerprint(t, dir)

	t.Run("ToTheStandardOutput", func(t *testing.T) {
		t.Parallel()
		r := lastcall(t, dir, "journal", "export", "lane:sms")
		require.Equal(t, exitOK, r.code, r.err)
		lines := strings.Split(strings.TrimSpace(r.out), "\n")
		require.Len(t, lines, 20)
		var e struct {
			Seq         uint64
			ID, Payload string
		}
		require.NoError(t, json.Unmarshal([]byte(lines[0]), &e))
		require.EqualValues(t, 2, e.Seq)
		require.Equal(t, "e-1", e.ID)
		require.Contains(t, e.Payload, `{"to":"1"`)
	})

	t.Run("ToAFile", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "sms.csv")
		r := lastcall(t, dir, "journal", "export", "lane:sms", "--file", file)
		require.Equal(t, exitOK, r.code, r.err)
		require.Equal(t, file+": 20 entries\n", r.err)
		require.Empty(t, r.out)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 21)

		r = lastcall(t, dir, "journal", "export", "lane:sms", "--file", file)
		require.Equal(t, exitUsage, r.code)
		require.Contains(t, r.err, file+" is there; give another name, or --force")
		r = lastcall(t, dir, "journal", "export", "lane:sms", "--file", file, "--force", "--format", "jsonl")
		require.Equal(t, exitOK, r.code, r.err)
		again, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotEqual(t, text, again)
		others, err := os.ReadDir(filepath.Dir(file))
		require.NoError(t, err)
		require.Len(t, others, 1, "nothing half done is left")
	})

	t.Run("ANameThatIsNotThere", func(t *testing.T) {
		t.Parallel()
		r := lastcall(t, dir, "journal", "export", "lane:mail")
		require.Equal(t, exitFailed, r.code)
		require.Contains(t, r.err, `there is no journal "lane:mail"`)
	})

	t.Cleanup(func() { require.Equal(t, before, fingerprint(t, dir)) })
}

// TestHeld: a process that lives is not disturbed; it is named.
func TestHeld(t *testing.T) {
	t.Parallel()
	dir := leave(t, 30, letters(2)...)
	file := filepath.Join(t.TempDir(), "letters.csv")
	require.Equal(t, exitOK, lastcall(t, dir, "deadletters", "export", "-f", file).code)
	s := startService(t, dir, false)
	before := fingerprint(t, dir)
	pid := "process " + strconv.Itoa(s.Process.Pid)
	for _, args := range [][]string{
		{"journal", "inspect"}, {"journal", "verify"}, {"journal", "export", "lane:sms"},
		{"deadletters", "list"}, {"deadletters", "show", "m-1"}, {"deadletters", "export"}, {"deadletters", "redrive", "--all"},
		{"deadletters", "redrive", "--all", "--dry-run"}, {"deadletters", "drop", "--all", "--yes"}, {"deadletters", "import", file},
	} {
		r := lastcall(t, dir, args...)
		require.Equal(t, exitHeld, r.code, "%v", args)
		require.Contains(t, r.err, pid, "%v", args)
		require.Empty(t, r.out, "%v", args)
	}
	require.Contains(t, lastcall(t, dir, "deadletters", "list").err, "no control socket")
	require.Equal(t, before, fingerprint(t, dir))

	// The socket of an earlier life is there, and nobody behind it.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "control.sock"), nil, 0o600))
	r := lastcall(t, dir, "deadletters", "list")
	require.Equal(t, exitHeld, r.code, r.err)
	require.Contains(t, r.err, pid)
	require.Contains(t, r.err, "does not answer at its control socket")

	s.kill(t)
	require.Equal(t, exitOK, lastcall(t, dir, "journal", "inspect").code, "the lock has died with it")
}
