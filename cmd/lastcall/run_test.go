package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	dir := leave(t, 1, letter(1))
	for _, tt := range []struct{ give, want string }{
		{"journl", `there is no command "journl"; did you mean "journal"?`},
		{"deadletters lst", `there is no command "lst"; did you mean "list"?`},
		{"deadletters list --colour", "unknown flag: --colour"},
		{"deadletters list --output xml", `--output: is "xml"; give table, json, jsonl, csv`},
		{"deadletters list --since yesterday", `--since: is "yesterday"; give how long ago`},
		{"deadletters list --limit -1", "--limit: is -1"},
		{"deadletters show", "requires at least 1 arg"},
		{"deadletters redrive", "which letters? Give ids, a filter, or --all"},
		{"deadletters drop --yes", "which letters? Give ids, a filter, or --all"},
		{"deadletters drop m-1 --all --yes", "--all: contradicts the filter"},
		{"deadletters import", "accepts 1 arg(s), received 0"},
		{"deadletters import letters.xlsx", `--format: format: the name "letters.xlsx" does not tell it`},
		{"deadletters import - ", "--format: give csv or jsonl"},
		{"deadletters export --format xlsx", `--format: format: is "xlsx"`},
		{"journal export", "accepts 1 arg(s), received 0"},
		{"journal inspect -o csv", `--output: is "csv"; give table, json, jsonl`},
	} {
		t.Run(tt.give, func(t *testing.T) {
			t.Parallel()
			r := lastcall(t, dir, strings.Fields(tt.give)...)
			require.Equal(t, exitUsage, r.code, r.err)
			require.Contains(t, r.err, tt.want)
			require.Contains(t, r.err, "--help'")
			require.Empty(t, r.out)
		})
	}
}

// TestHelp reads what a person reads first.
func TestHelp(t *testing.T) {
	t.Parallel()
	r := lastcall(t, ".")
	require.Equal(t, exitOK, r.code)
	require.Contains(t, r.out, exitHelp)

	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for line := range strings.Lines(exitHelp) {
		require.Contains(t, string(doc), strings.TrimSpace(line), "doc.go and --help say the same")
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		r := lastcall(t, ".", append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		require.Equal(t, exitOK, r.code)
		require.NotEmpty(t, cmd.Short, cmd.Name())
		for line := range strings.Lines(r.out) {
			require.LessOrEqual(t, len([]rune(line)), 130, "%s: %s", cmd.CommandPath(), line)
		}
		for _, sub := range cmd.Commands() {
			if sub.Name() != "completion" && sub.Name() != "help" {
				walk(sub)
			}
		}
	}
	walk((&program{}).root())
	require.Equal(t, exitOK, lastcall(t, ".", "--version").code)
}

// TestProcess runs the command as a process, for its exit code.
func TestProcess(t *testing.T) {
	t.Parallel()
	dir := leave(t, 30)
	spoil(t, dir)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "journal", "verify", "--dir", dir)
	cmd.Env = append(os.Environ(), commandVar+"=1")
	out, err := cmd.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, exitDamage, exit.ExitCode())
	require.Contains(t, string(out), "DAMAGED")
	require.Empty(t, string(exit.Stderr), "no bar where nobody watches")
}
