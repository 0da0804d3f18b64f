package deadletter_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

var formats = []deadletter.Format{deadletter.CSV, deadletter.JSONL}

func export(tb rapid.TB, format deadletter.Format, letters ...journal.DeadLetter) string {
	tb.Helper()
	var file bytes.Buffer
	n, err := deadletter.Export(&file, format, seq(letters...))
	require.NoError(tb, err)
	require.Len(tb, letters, n)
	return file.String()
}

// load reads a file; wrong are the errors of its rows.
func load(tb rapid.TB, format deadletter.Format, file string) (letters []journal.DeadLetter, wrong []string) {
	tb.Helper()
	for row, err := range deadletter.Import(strings.NewReader(file), format) {
		if e := new(deadletter.RowError); errors.As(err, &e) {
			require.Positive(tb, e.Line)
			wrong = append(wrong, err.Error())
			continue
		}
		require.NoError(tb, err)
		letters = append(letters, row.Letter)
	}
	return letters, wrong
}

func TestFileRoundTrip(t *testing.T) {
	t.Parallel()
	payloads := map[string]string{
		"JSON": `{"to":"Ada, \"the first\"","text":"a\nb"}`, "Empty": "", "Comma": "a,b;c\td", "Quote": `""'"`, "Newline": "a\nb\n\n",
		"CarriageReturn": "a\r\nb\r", "UTF8": "Grüße, 世界 🌍", "Binary": "\x00\xff\x1b", "HalfARune": "\xe4\xb8", "Formula": "=1+2",
		"Apostrophe": "'a'", "Plus": "+49151", "Spaces": "  a  ", "Base64": "aGFsbG8=", "ByteOrderMark": "\ufeffx",
	}
	for name, payload := range payloads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, format := range formats {
				give := letter(1)
				give.Payload = []byte(payload)
				if payload == "" {
					give.Payload = nil
				}
				give.ID, give.Key, give.Keyed, give.Last = "m"+payload, payload, true, `he said "no", twice`
				file := export(t, format, give)
				got, wrong := load(t, format, file)
				require.Empty(t, wrong, file)
				require.Equal(t, []journal.DeadLetter{give}, got, file)
			}
		})
	}

	t.Run("NamesThatLookEncoded", func(t *testing.T) {
		t.Parallel()
		give := letter(1)
		give.ID, give.Key = "base64:", "base64:aGFsbG8="
		for _, format := range formats {
			got, wrong := load(t, format, export(t, format, give))
			require.Empty(t, wrong)
			require.Equal(t, []journal.DeadLetter{give}, got)
		}
	})

	t.Run("Any", func(t *testing.T) {
		t.Parallel()
		text := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != '\r' && r != '\uFFFD' }))
		key := rapid.OneOf(text, rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		name := key.Filter(func(s string) bool { return s != "" })
		when := rapid.Custom(func(t *rapid.T) time.Time {
			return time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		})
		one := rapid.Custom(func(t *rapid.T) journal.DeadLetter {
			l := journal.DeadLetter{
				ID: name.Draw(t, "id"), Component: name.Draw(t, "component"), Key: key.Draw(t, "key"), Keyed: rapid.Bool().Draw(t, "keyed"),
				Reason: journal.Reason(text.Draw(t, "reason")), Attempts: rapid.IntRange(0, 99).Draw(t, "attempts"),
				Accepted: when.Draw(t, "accepted"), Died: when.Draw(t, "died"), First: text.Draw(t, "first"), Last: text.Draw(t, "last"),
				Codec: text.Draw(t, "codec"), Version: rapid.IntRange(0, 9).Draw(t, "version"),
			}
			if p := rapid.SliceOf(rapid.Byte()).Draw(t, "payload"); len(p) > 0 {
				l.Payload = p
			}
			return l
		})
		rapid.Check(t, func(t *rapid.T) {
			give := rapid.SliceOfN(one, 1, 5).Draw(t, "letters")
			for _, format := range formats {
				got, wrong := load(t, format, export(t, format, give...))
				require.Empty(t, wrong)
				require.Equal(t, give, got)
			}
		})
	})
}

func TestExport(t *testing.T) {
	t.Parallel()

	t.Run("APersonCanReadIt", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "id,component,key,keyed,reason,attempts,accepted,died,first_error,last_error,codec,version,encoding,payload\n"+
			`m-1,lane:sms,receiver-1,,retries,3,2026-01-31T11:00:00.000000005Z,2026-01-31T12:01:00.000000005Z,timeout,503,json,0,text,"{""to"":""1""}"`+"\n",
			export(t, deadletter.CSV, letter(1)))
		require.JSONEq(t, `{"id":"m-1","component":"lane:sms","key":"receiver-1","reason":"retries","attempts":3,
			"accepted":"2026-01-31T11:00:00.000000005Z","died":"2026-01-31T12:01:00.000000005Z","first_error":"timeout","last_error":"503",
			"codec":"json","encoding":"text","payload":"{\"to\":\"1\"}"}`, export(t, deadletter.JSONL, letter(1)))
	})

	t.Run("NoCellIsAFormula", func(t *testing.T) {
		t.Parallel()
		l := letter(1)
		l.ID, l.Key, l.First, l.Last, l.Payload = "=1", "+49151", "-1+1", "@SUM(A1)", []byte("\t=HYPERLINK(1)")
		rows, err := csv.NewReader(strings.NewReader(export(t, deadletter.CSV, l))).ReadAll()
		require.NoError(t, err)
		for _, cell := range rows[1] {
			require.False(t, cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r"), "%q", cell)
		}
	})

	t.Run("AnErrorEndsIt", func(t *testing.T) {
		t.Parallel()
		bad := errors.New("bad disk")
		for _, format := range formats {
			n, err := deadletter.Export(io.Discard, format, func(yield func(journal.DeadLetter, error) bool) {
				_ = yield(letter(1), nil) && yield(journal.DeadLetter{}, bad)
			})
			require.ErrorIs(t, err, bad)
			require.Equal(t, 1, n)
		}
		_, err := deadletter.Export(io.Discard, "xlsx", seq())
		require.ErrorContains(t, err, `is "xlsx"; give csv or jsonl`)
	})

	t.Run("Entries", func(t *testing.T) {
		t.Parallel()
		entries := iter.Seq2[journal.Entry, error](func(yield func(journal.Entry, error) bool) {
			yield(journal.Entry{Seq: 7, ID: "a", At: noon, Attempt: 1, Kind: "k", Key: "=x", Codec: "json", Version: 2, Payload: []byte("{}")}, nil)
		})
		var file bytes.Buffer
		n, err := deadletter.ExportEntries(&file, deadletter.CSV, entries)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, "seq,id,at,attempt,kind,key,codec,version,encoding,payload\n7,a,2026-01-31T12:00:00.000000005Z,1,k,'=x,json,2,text,{}\n", file.String())
		file.Reset()
		_, err = deadletter.ExportEntries(&file, deadletter.JSONL, entries)
		require.NoError(t, err)
		require.JSONEq(t, `{"seq":7,"id":"a","at":"2026-01-31T12:00:00.000000005Z","attempt":1,"kind":"k","key":"=x","codec":"json","version":2,"encoding":"text","payload":"{}"}`, file.String())
	})
}

func TestImport(t *testing.T) {
	t.Parallel()
	byName := func(id, payload string) journal.DeadLetter {
		return journal.DeadLetter{ID: id, Component: "lane:sms", Payload: []byte(payload)}
	}

	for _, tt := range []struct{ name, give string }{
		{"Plain", "id,component,payload\n1,lane:sms,a\n2,lane:sms,b\n"},
		{"OfASpreadsheet", "\xef\xbb\xbfID;Component;Payload\r\n1;lane:sms;a\r\n2;lane:sms;b\r\n;;\r\n"},
		{"Tabs", "id\tcomponent\tpayload\n1\tlane:sms\ta\n2\tlane:sms\tb"},
		{"AnotherOrderAndNotes", "payload,my notes,component,id,died\na,\"call, back\",lane:sms,1,31.01.26 12:00\nb,,lane:sms,2,\n"},
		{"EmptyLines", "id,component,payload\n\n1,lane:sms,a\n\n\n2,lane:sms,b\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, wrong := load(t, deadletter.CSV, tt.give)
			require.Empty(t, wrong)
			require.Equal(t, []journal.DeadLetter{byName("1", "a"), byName("2", "b")}, got)
		})
	}

	t.Run("BadRowsAreReportedByLineAndTheOthersRead", func(t *testing.T) {
		t.Parallel()
		got, wrong := load(t, deadletter.CSV, strings.Join([]string{
			"id,component,version,encoding,payload",
			"1,lane:sms,,,ok",
			",lane:sms,,,no id",
			"3,,x,,no component and a version",
			"4,lane:sms,,base64,%%%",
			"5,lane:sms,,hex,00",
			"6,lane:sms",
			"7,lane:sms,,,\"two\nlines\"",
			"8,lane:sms,,,a \"quote",
			"9,lane:sms,,,\xff",
			"10,lane:sms,,,ok",
		}, "\n"))
		require.Equal(t, []string{"1", "7", "10"}, idsOf(got))
		require.Equal(t, "two\nlines", string(got[1].Payload))
		for i, want := range []string{
			"line 3: id: is empty; it says which letter this is",
			`line 4: version: is "x"; give the number that was there; component: is empty`,
			"line 5: payload: is not base64",
			`line 6: encoding: is "hex"; give text or base64`,
			"line 7: it has 2 cells, the header has 5; is there a quote missing?",
			`line 10: byte 16: bare " in non-quoted-field`,
			`line 11: payload: is not UTF-8; save the file as "CSV UTF-8"`,
		} {
			require.Contains(t, wrong[i], want)
		}
		require.Len(t, wrong, 7)

		_, wrong = load(t, deadletter.CSV, "id,component,key,keyed,payload\n1,c,base64:%,,a\n2,c,,perhaps,a\n")
		require.Len(t, wrong, 2)
		require.Contains(t, wrong[0], "line 2: key: is not base64")
		require.Contains(t, wrong[1], `line 3: keyed: is "perhaps"; give yes, or nothing`)

		_, wrong = load(t, deadletter.JSONL, "{\"id\":\"1\",\"component\":\"c\",\"key\":\"\xff\",\"payload\":\"a\"}")
		require.Equal(t, []string{"line 1: is not UTF-8; save the file as UTF-8"}, wrong)

		got, wrong = load(t, deadletter.JSONL, "{\"id\":\"1\",\"component\":\"c\",\"payload\":\"a\"}\nnonsense\n\n{\"id\":\"\"}\n{\"id\":\"5\",\"component\":\"c\",\"payload\":\"\"}\n{\"id\":\"6\",\"component\":\"c\"}")
		require.Equal(t, []string{"1", "5"}, idsOf(got))
		require.Len(t, wrong, 3)
		require.Contains(t, wrong[2], "line 6: payload: is missing")
		require.Contains(t, wrong[0], "line 2: ")
		require.Contains(t, wrong[1], "line 4: id: is empty")
	})

	for _, tt := range []struct{ name, give, want string }{
		{"Nothing", "", "the file is empty"},
		{"NoHeader", "1,lane:sms,a\n", "line 1: the column id is missing"},
		{"ColumnTwice", "id,component,payload,id\n", "the column id is there twice"},
		{"UTF16", "\xff\xfei\x00d\x00", "the file is UTF-16"},
		{"BrokenHeader", "id,\"component\n", "extraneous or missing"},
	} {
		t.Run("FileIsRefused/"+tt.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			for _, err := range deadletter.Import(strings.NewReader(tt.give), deadletter.CSV) {
				n++
				require.ErrorContains(t, err, tt.want)
				require.NotErrorAs(t, err, new(*deadletter.RowError))
			}
			require.Equal(t, 1, n)
		})
	}

	t.Run("AReaderThatFailsEndsIt", func(t *testing.T) {
		t.Parallel()
		for _, format := range formats {
			bad := errors.New("bad disk")
			file := io.MultiReader(strings.NewReader(export(t, format, letter(1), letter(2))), iotest.ErrReader(bad))
			var last error
			n := 0
			for _, err := range deadletter.Import(file, format) {
				n++
				last = err
			}
			require.Equal(t, 3, n)
			require.ErrorIs(t, last, bad)
		}
		for _, err := range deadletter.Import(strings.NewReader(""), "xlsx") {
			require.ErrorContains(t, err, "xlsx")
		}
	})

	t.Run("TheCallerMayLeave", func(t *testing.T) {
		t.Parallel()
		for _, format := range formats {
			for row, err := range deadletter.Import(strings.NewReader(export(t, format, letter(1), letter(2))+"nonsense\n"), format) {
				require.NoError(t, err)
				require.Equal(t, "m-1", row.Letter.ID)
				break
			}
		}
	})
}

func TestFormatOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]deadletter.Format{"a.csv": deadletter.CSV, "b.CSV": deadletter.CSV, "x/y.jsonl": deadletter.JSONL, "z.ndjson": deadletter.JSONL} {
		got, err := deadletter.FormatOf(name)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := deadletter.FormatOf("letters.xlsx")
	require.ErrorContains(t, err, "end it with .csv or .jsonl")
}

// FuzzImport: whatever a file holds, reading it ends, and what was read of it
// comes back from a file that is written of it.
func FuzzImport(f *testing.F) {
	for _, format := range formats {
		l := letter(1)
		l.Payload, l.Key = []byte("a,\"b\"\n\x00"), "=x"
		f.Add([]byte(export(f, format, letter(2), l)), format == deadletter.CSV)
	}
	f.Add([]byte("id;component;payload\r\n'1;c;\"\"\"\"\r\n"), true)
	f.Add([]byte("id,component,payload\n1,\"c,a\n\"\"\n"), true)
	f.Add([]byte("\xef\xbb\xbf"), true)
	f.Add([]byte("\xff\xfe"), true)
	f.Add([]byte("{\"id\":1}\n{}\n"), false)
	f.Fuzz(func(t *testing.T, file []byte, isCSV bool) {
		format := deadletter.JSONL
		if isCSV {
			format = deadletter.CSV
		}
		var letters []journal.DeadLetter
		rows := 0
		for row, err := range deadletter.Import(bytes.NewReader(file), format) {
			rows++
			if err == nil {
				letters = append(letters, row.Letter)
			}
		}
		require.LessOrEqual(t, rows, bytes.Count(file, []byte("\n"))+bytes.Count(file, []byte("\r"))+2)
		if len(letters) == 0 {
			return
		}
		got, wrong := load(t, deadletter.JSONL, export(t, deadletter.JSONL, letters...))
		require.Empty(t, wrong)
		require.Equal(t, payloadsOf(letters), payloadsOf(got))
		got, wrong = load(t, deadletter.CSV, export(t, deadletter.CSV, letters...))
		require.Empty(t, wrong)
		require.Equal(t, payloadsOf(letters), payloadsOf(got))
	})
}

// payloadsOf is what is sent of letters.
func payloadsOf(letters []journal.DeadLetter) (all []string) {
	for _, l := range letters {
		all = append(all, l.Component+"\x00"+l.ID+"\x00"+l.Key+"\x00"+string(l.Payload))
	}
	return all
}
