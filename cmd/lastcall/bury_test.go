package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBury(t *testing.T) {
	t.Parallel()

	t.Run("WorkIsInTheBoxAndNotInTheJournal", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 6, letter(1))
		r := lastcall(t, dir, "journal", "bury", "lane:sms", "e-1", "e-4")
		require.Equal(t, exitOK, r.code, r.err)
		require.Equal(t, "moved 2 entries of lane:sms to the dead letters\n", r.out)
		require.Equal(t, []string{"m-1", "e-1", "e-4"}, ids(t, dir))
		require.Equal(t, []string{"e-1", "e-4"}, ids(t, dir, "--reason", "buried"))
		require.Len(t, lane(t, dir), 2)

		r = lastcall(t, dir, "deadletters", "redrive", "e-4")
		require.Equal(t, exitOK, r.code, r.err)
		require.Len(t, lane(t, dir), 3, "it is sent again like any other")
	})

	t.Run("WhatIsNotThereIsSaid", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 6)
		for _, args := range [][]string{
			{"lane:sms", "e-0"}, // acknowledged
			{"lane:smss", "e-1"},
		} {
			r := lastcall(t, dir, append([]string{"journal", "bury"}, args...)...)
			require.Equal(t, exitFailed, r.code, r.out)
			require.Contains(t, r.err, "there is no ")
		}
		r := lastcall(t, dir, "journal", "bury", "deadletters", "m-1")
		require.Equal(t, exitUsage, r.code, r.err)
		require.Len(t, lane(t, dir), 4)
	})

	t.Run("AReasonThatThereIsNotIsRefused", func(t *testing.T) {
		t.Parallel()
		r := lastcall(t, leave(t, 0, letter(1)), "deadletters", "list", "--reason", "permanentt")
		require.Equal(t, exitUsage, r.code, r.out)
		require.Contains(t, r.err, "give one of retries, permanent,")
	})

	t.Run("AServiceThatRunsKeepsItsWork", func(t *testing.T) {
		t.Parallel()
		dir := leave(t, 6)
		s := startService(t, dir, true)
		r := lastcall(t, dir, "journal", "bury", "lane:sms", "e-1")
		require.Equal(t, exitHeld, r.code, r.err)
		s.stop(t)
	})
}
