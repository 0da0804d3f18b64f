package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

func TestRedrive(t *testing.T) {
	t.Parallel()

	t.Run("SendsWhatTheFilterChooses", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 5)
		lane := newLane(t, box)
		var told []int
		s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{
			Filter: deadletter.Filter{Key: "receiver-1"}, Progress: func(n int) { told = append(told, n) },
		})
		require.NoError(t, err)
		require.Equal(t, deadletter.Summary{Matched: 3, Done: 3}, s)
		require.Equal(t, []int{1, 2, 3}, told)
		require.Equal(t, []string{"m-1", "m-3", "m-5"}, idsOf(lane.got))
		require.Equal(t, []string{"m-2", "m-4"}, in(t, box))
	})

	t.Run("WhatIsNotAcceptedStaysWithItsReason", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 3)
		lane := newLane(t, box, "m-2")
		s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, 2, s.Done)
		require.Equal(t, 1, s.Failed)
		require.Contains(t, s.Failures[0].String(), "lane:sms m-2: ")
		require.Contains(t, s.Failures[0].Error, errRefused.Error())
		require.Len(t, lane.got, 2)
		require.Equal(t, []string{"m-2"}, in(t, box))
	})

	t.Run("WorkIsSentOnceHoweverManyLettersThereAre", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 2)
		require.NoError(t, box.Put(t.Context(), letter(1), letter(1)))
		other := letter(1)
		other.Component = "lane:mail" // has an id of its own
		require.NoError(t, box.Put(t.Context(), other))
		lane := newLane(t, box)
		s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, []string{"m-1", "m-2"}, idsOf(lane.got))
		require.Equal(t, []int{5, 2, 2, 1}, []int{s.Matched, s.Done, s.Duplicates, s.Failed})
		require.Contains(t, s.Failures[0].Error, `nobody takes letters of "lane:mail"`)
		require.Equal(t, []string{"m-1"}, in(t, box))
	})

	t.Run("OtherWorkOfTheSameIDIsSentToo", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 1)
		other := letter(1)
		other.Payload = []byte(`{"to":"somebody else"}`)
		require.NoError(t, box.Put(t.Context(), other))
		lane := newLane(t, box)
		s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, 2, s.Done)
		require.Len(t, lane.got, 2)
	})

	t.Run("WorkThatWasNeverWrittenDownIsNotSent", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 0)
		l := letter(1)
		l.Codec = "none"
		require.NoError(t, box.Put(t.Context(), l))
		lane := newLane(t, box)
		s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, 1, s.Failed)
		require.Contains(t, s.Failures[0].Error, "never written down")
		require.Empty(t, lane.got)
	})

	t.Run("ADryRunChangesNothing", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 4)
		require.NoError(t, box.Put(t.Context(), letter(4)))
		lane := newLane(t, box)
		s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{DryRun: true, Filter: deadletter.Filter{Key: "receiver-0"}})
		require.NoError(t, err)
		require.Equal(t, deadletter.Summary{DryRun: true, Matched: 3, Done: 2, Duplicates: 1}, s)
		require.Empty(t, lane.got)
		require.Len(t, in(t, box), 5)
	})

	t.Run("ADryRunPromisesNoMoreThanCanBeDone", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 2)
		nobodys, broken := letter(3), letter(2)
		nobodys.Component, broken.Payload = "lane:mail", []byte("{Ada}")
		require.NoError(t, box.Put(t.Context(), nobodys))
		keeper, err := journal.NewKeeper("lane:sms", nil, journal.JSON[sms](), box)
		require.NoError(t, err)
		took := 0
		defer keeper.Receive(func(context.Context, journal.Item[sms]) error {
			took++
			return nil
		})()
		for _, dry := range []bool{true, false} {
			s, err := deadletter.SendBack(t.Context(), box, rows(export(t, deadletter.CSV, broken)), deadletter.Options{DryRun: dry})
			require.NoError(t, err)
			require.Equal(t, 1, s.Failed)
			require.Contains(t, s.Failures[0].Error, "its payload cannot be read: invalid character 'A'")
		}
		for _, dry := range []bool{true, false} {
			s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{DryRun: dry})
			require.NoError(t, err)
			require.Equal(t, []int{3, 2, 1}, []int{s.Matched, s.Done, s.Failed})
			require.Contains(t, s.Failures[0].Error, `nobody takes letters of "lane:mail" back; those that do: lane:sms`)
		}
		require.Equal(t, 2, took)
	})

	t.Run("EndsWithItsContext", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 3)
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		n := 0
		defer box.Receive("lane:sms", func(ctx context.Context, _ journal.DeadLetter) error {
			if n++; n == 2 {
				cancel(enough) // while the lane has no room
				return context.Cause(ctx)
			}
			return nil
		}, nil)()
		s, err := deadletter.Redrive(ctx, box, deadletter.Options{})
		require.ErrorIs(t, err, enough)
		require.Equal(t, 1, s.Done)
		require.Zero(t, s.Failed)
		require.Equal(t, []string{"m-2", "m-3"}, in(t, box))
	})

	t.Run("ManyFailuresAreCountedAndTheFirstDescribed", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 1005)
		s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, 1005, s.Failed)
		require.Len(t, s.Failures, 1000)
	})

	t.Run("ABoxThatFailsEndsIt", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 1)
		require.NoError(t, box.Close())
		for _, do := range []func(context.Context, deadletter.Box, deadletter.Options) (deadletter.Summary, error){deadletter.Redrive, deadletter.Drop} {
			_, err := do(t.Context(), box, deadletter.Options{})
			require.ErrorIs(t, err, journal.ErrClosed)
		}
		_, err := deadletter.SendBack(t.Context(), box, deadletter.Import(strings.NewReader(""), deadletter.JSONL), deadletter.Options{})
		require.ErrorIs(t, err, journal.ErrClosed)
	})
}

func TestDrop(t *testing.T) {
	t.Parallel()

	t.Run("ThrowsAwayWhatTheFilterChooses", func(t *testing.T) {
		t.Parallel()
		const n = 2100 // more than two groups
		box := newBox(t, n)
		var told []int
		o := deadletter.Options{DryRun: true, Filter: deadletter.Filter{Limit: n - 1}}
		s, err := deadletter.Drop(t.Context(), box, o)
		require.NoError(t, err)
		require.Equal(t, deadletter.Summary{DryRun: true, Matched: n - 1, Done: n - 1}, s)
		require.Len(t, in(t, box), n)

		o.DryRun, o.Progress = false, func(n int) { told = append(told, n) }
		s, err = deadletter.Drop(t.Context(), box, o)
		require.NoError(t, err)
		require.Equal(t, deadletter.Summary{Matched: n - 1, Done: n - 1}, s)
		require.Equal(t, []int{1000, 2000, n - 1}, told)
		require.Equal(t, []string{"m-2100"}, in(t, box))
	})
}

// sticky is a box that keeps its letters.
type sticky struct{ *journal.DeadLetters }

func (sticky) Drop(context.Context, ...uint64) error { return errors.New("bad disk") }

// TestIDsThatAreNotInTheBox: a slip of the pen is no success.
func TestIDsThatAreNotInTheBox(t *testing.T) {
	t.Parallel()
	type call func(context.Context, deadletter.Box, deadletter.Options) (deadletter.Summary, error)
	for name, do := range map[string]call{"Redrive": deadletter.Redrive, "Drop": deadletter.Drop} {
		for _, dry := range []bool{true, false} {
			t.Run(fmt.Sprint(name, "/DryRun=", dry), func(t *testing.T) {
				t.Parallel()
				box := newBox(t, 3)
				newLane(t, box)
				f := deadletter.Filter{IDs: []string{"m-1", "rnet", "m-3", "rnet"}, Key: "receiver-1"}
				s, err := do(t.Context(), box, deadletter.Options{Filter: f, DryRun: dry})
				require.NoError(t, err)
				require.Equal(t, []int{3, 2, 1, 0}, []int{s.Matched, s.Done, s.Missing, s.Failed})
				require.Equal(t, "rnet: there is no such letter in the box", s.Failures[0].String())

				s, err = do(t.Context(), box, deadletter.Options{Filter: deadletter.Filter{IDs: []string{"m-2", "rnet"}, Limit: 1}, DryRun: dry})
				require.NoError(t, err)
				require.Equal(t, deadletter.Summary{DryRun: dry, Matched: 1, Done: 1}, s, "it has not looked at all of them")
			})
		}
	}
}

func rows(file string) iter.Seq2[deadletter.Row, error] {
	return deadletter.Import(strings.NewReader(file), deadletter.CSV)
}

func TestSendBack(t *testing.T) {
	t.Parallel()

	t.Run("SendsWhatAPersonHasEdited", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 3)
		require.NoError(t, box.Put(t.Context(), letter(2))) // of the same work
		lane := newLane(t, box)
		file := strings.ReplaceAll(export(t, deadletter.CSV, letter(1), letter(2)), `""to""`, `""receiver""`)
		file = strings.ReplaceAll(file, "receiver-0", "'+49 151")
		file = strings.ReplaceAll(file, "2026-01-31T11", "31.01.26 11") // as a spreadsheet does
		s, err := deadletter.SendBack(t.Context(), box, rows(file), deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, deadletter.Summary{Matched: 2, Done: 2}, s)
		require.Equal(t, []string{"m-3"}, in(t, box))
		require.Equal(t, []string{"m-1", "m-2"}, idsOf(lane.got))
		require.JSONEq(t, `{"receiver":"2"}`, string(lane.got[1].Payload))
		require.Equal(t, "+49 151", lane.got[1].Key)
		require.Equal(t, letter(2).Accepted, lane.got[1].Accepted, "what is for reading comes from the box")
		require.Equal(t, "json", lane.got[1].Codec)
	})

	t.Run("AFileWithoutCodecsHasThoseOfTheBox", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 1)
		lane := newLane(t, box)
		_, err := deadletter.SendBack(t.Context(), box, rows("id,component,payload\nm-1,lane:sms,{}\n"), deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, "json", lane.got[0].Codec)
	})

	t.Run("WhatAFileDoesNotSayIsTheBoxs", func(t *testing.T) {
		t.Parallel()
		old := letter(1)
		old.Codec, old.Version, old.Payload = "proto", 7, []byte{0, 0xff}
		edited := letter(1)
		edited.Codec, edited.Version, edited.Payload = "proto", 7, []byte{0xff, 0}
		rekeyed, plain := edited, edited
		rekeyed.Key = ""
		plain.Codec, plain.Version, plain.Payload = "json", 0, []byte("[]")
		for _, tt := range []struct {
			format deadletter.Format
			give   string
			want   journal.DeadLetter
		}{
			{deadletter.CSV, "id,component,payload\nm-1,lane:sms,/wA=\n", edited},
			{deadletter.CSV, "id,component,codec,payload\nm-1,lane:sms,proto,/wA=\n", edited},
			{deadletter.CSV, "id,component,codec,version,encoding,payload\nm-1,lane:sms,,,,/wA=\n", edited},
			{deadletter.CSV, "id,component,key,payload\nm-1,lane:sms,,/wA=\n", rekeyed},
			{deadletter.CSV, "id,component,codec,encoding,payload\nm-1,lane:sms,json,text,[]\n", plain},
			{deadletter.JSONL, `{"id":"m-1","component":"lane:sms","payload":"/wA="}`, edited},
			{deadletter.JSONL, `{"id":"m-1","component":"lane:sms","key":"","payload":"/wA="}`, rekeyed},
			{deadletter.JSONL, `{"id":"m-1","component":"lane:sms","codec":"json","encoding":"text","payload":"[]"}`, plain},
		} {
			box := newBox(t, 0)
			require.NoError(t, box.Put(t.Context(), old))
			lane := newLane(t, box)
			s, err := deadletter.SendBack(t.Context(), box, deadletter.Import(strings.NewReader(tt.give), tt.format), deadletter.Options{})
			require.NoError(t, err)
			require.Equal(t, deadletter.Summary{Matched: 1, Done: 1}, s, tt.give)
			require.Equal(t, []journal.DeadLetter{tt.want}, lane.got, tt.give)
		}
	})

	t.Run("APayloadThatIsNotEncodedAsTheBoxsIsRefused", func(t *testing.T) {
		t.Parallel()
		old := letter(1)
		old.Payload = []byte{0xff}
		box := newBox(t, 0)
		require.NoError(t, box.Put(t.Context(), old))
		newLane(t, box)
		s, err := deadletter.SendBack(t.Context(), box, rows("id,component,payload\nm-1,lane:sms,{}\n"), deadletter.Options{})
		require.NoError(t, err)
		require.Contains(t, s.Failures[0].String(), "line 2: lane:sms m-1: payload: is not base64")
		require.Len(t, in(t, box), 1)
	})

	t.Run("ALetterThatIsNotInTheBoxMustSayItsCodec", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 0)
		lane := newLane(t, box)
		s, err := deadletter.SendBack(t.Context(), box, rows("id,component,payload\nm-1,lane:sms,{}\n"), deadletter.Options{Missing: true})
		require.NoError(t, err)
		require.Contains(t, s.Failures[0].Error, "codec: is empty")
		require.Empty(t, lane.got)
	})

	t.Run("AFileThatIsSentTwiceDoesItsWorkOnce", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 2)
		lane := newLane(t, box)
		file := export(t, deadletter.CSV, letter(1), letter(2), letter(1))
		s, err := deadletter.SendBack(t.Context(), box, rows(file), deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, 2, s.Done)
		require.Equal(t, []deadletter.Failure{{Line: 4, ID: "m-1", Component: "lane:sms", Error: "it stands in the file twice, and the first was sent"}}, s.Failures)
		s, err = deadletter.SendBack(t.Context(), box, rows(file), deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, []int{3, 3, 0}, []int{s.Matched, s.Missing, s.Failed})
		require.Contains(t, s.Failures[0].Error, "it is not in the box")
		require.Len(t, lane.got, 2)

		s, err = deadletter.SendBack(t.Context(), box, rows(file), deadletter.Options{Missing: true})
		require.NoError(t, err)
		require.Equal(t, 2, s.Done, "unless that is wanted")
		require.Len(t, lane.got, 4)
	})

	t.Run("RowsThatAreWrongAndLettersThatAreRefusedStay", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 4)
		newLane(t, box, "m-3")
		file := strings.ReplaceAll(export(t, deadletter.CSV, letter(1), letter(2), letter(3), letter(4)), "lane:sms,receiver-0,,retries,3,2026-01-31T11:00:00.000000005Z,2026-01-31T12:02", ",receiver-0,,,,,")
		s, err := deadletter.SendBack(t.Context(), box, rows(file), deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, []int{4, 2, 2}, []int{s.Matched, s.Done, s.Failed})
		require.Equal(t, []int{3, 4}, []int{s.Failures[0].Line, s.Failures[1].Line})
		require.Contains(t, s.Failures[0].String(), "line 3: component: is empty")
		require.Equal(t, []string{"m-2", "m-3"}, in(t, box))
	})

	t.Run("AKeyThatNobodyHasEditedIsTheOldOne", func(t *testing.T) {
		t.Parallel()
		for _, format := range formats {
			box := newBox(t, 0)
			odd := letter(1)
			odd.Key, odd.Keyed = "\xff\x01 a\r\nb", true
			require.NoError(t, box.Put(t.Context(), odd))
			lane := newLane(t, box)
			s, err := deadletter.SendBack(t.Context(), box, deadletter.Import(strings.NewReader(export(t, format, odd)), format), deadletter.Options{})
			require.NoError(t, err)
			require.Equal(t, deadletter.Summary{Matched: 1, Done: 1}, s)
			require.Equal(t, odd.Key, lane.got[0].Key)
		}
	})

	t.Run("FilterAndLimitChooseRows", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 6)
		lane := newLane(t, box)
		file := export(t, deadletter.CSV, letter(1), letter(2), letter(3), letter(4), letter(5), letter(6))
		s, err := deadletter.SendBack(t.Context(), box, rows(file), deadletter.Options{Filter: deadletter.Filter{Key: "receiver-0", Limit: 2}})
		require.NoError(t, err)
		require.Equal(t, 2, s.Done)
		require.Equal(t, []string{"m-2", "m-4"}, idsOf(lane.got))
	})

	t.Run("ADryRunChangesNothing", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 1)
		lane := newLane(t, box)
		s, err := deadletter.SendBack(t.Context(), box, rows(export(t, deadletter.CSV, letter(1), letter(2))), deadletter.Options{DryRun: true})
		require.NoError(t, err)
		require.Equal(t, []int{2, 1, 1}, []int{s.Matched, s.Done, s.Missing})
		require.Empty(t, lane.got)
		require.Len(t, in(t, box), 1)
	})

	t.Run("ALetterThatIsMissingAndWasRefusedIsTriedAgain", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 0)
		lane := newLane(t, box, "m-1")
		s, err := deadletter.SendBack(t.Context(), box, rows(export(t, deadletter.CSV, letter(1), letter(1))), deadletter.Options{
			Missing: true, Progress: func(int) { delete(lane.refuse, "m-1") },
		})
		require.NoError(t, err)
		require.Equal(t, []int{2, 1, 1}, []int{s.Matched, s.Done, s.Failed})
		require.Contains(t, s.Failures[0].Error, errRefused.Error())
		require.Len(t, lane.got, 1)
	})

	t.Run("ALetterThatCannotBeDroppedIsSentOnce", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 1)
		lane := newLane(t, box)
		s, err := deadletter.SendBack(t.Context(), sticky{box}, rows(export(t, deadletter.CSV, letter(1), letter(1))), deadletter.Options{})
		require.NoError(t, err)
		require.Contains(t, s.Failures[0].Error, "it was sent, and stays in the box all the same")
		require.Contains(t, s.Failures[1].Error, "the first was sent")
		require.Len(t, lane.got, 1)
	})

	t.Run("AFileThatIsNoneEndsIt", func(t *testing.T) {
		t.Parallel()
		_, err := deadletter.SendBack(t.Context(), newBox(t, 1), rows(""), deadletter.Options{})
		require.ErrorContains(t, err, "the file is empty")
	})

	t.Run("EndsWithItsContext", func(t *testing.T) {
		t.Parallel()
		box := newBox(t, 2)
		newLane(t, box)
		ctx, cancel := context.WithCancel(t.Context())
		s, err := deadletter.SendBack(ctx, box, rows(export(t, deadletter.CSV, letter(1), letter(2))), deadletter.Options{Progress: func(int) { cancel() }})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, s.Done)
		require.Equal(t, []string{"m-2"}, in(t, box))
	})
}
