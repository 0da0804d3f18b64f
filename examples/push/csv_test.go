package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const heading = "receiver,channel,type,template,code\n"

func TestReadCSV(t *testing.T) {
	t.Parallel()

	t.Run("NumbersRowsAndGoesOnAfterABadOne", func(t *testing.T) {
		t.Parallel()
		in := "\ufeff" + heading +
			"a,sms,code,login,1\n" +
			"too,few\n" +
			"\"b\nand b\",sms,code,login,2\n" +
			"c,sms,code,login,a \" quote\n" +
			"d,sms,code,toast,3\n" +
			"e,sms,code,login,4"
		var got []string
		for row := range readCSV("x.csv", strings.NewReader(in)) {
			require.NoError(t, row.End)
			if row.Err != nil {
				got = append(got, row.ID+" bad")
			} else {
				got = append(got, row.ID+" "+row.Receiver)
			}
		}
		assert.Equal(t, []string{
			"x.csv:1 a",
			"x.csv:2 bad",
			"x.csv:3 b\nand b",
			"x.csv:4 bad",
			"x.csv:5 bad",
			"x.csv:6 e",
		}, got)
	})

	t.Run("SeparatorIsThatOfTheHeading", func(t *testing.T) {
		t.Parallel()
		for name, in := range map[string]string{
			"comma":     "receiver,channel,type,template,code\na,sms,code,login,1;2\n",
			"semicolon": "receiver;channel;type;template;code\na;sms;code;login;1,2\n",
			"quoted":    "\ufeff\"receiver\";\"channel\";\"type\";\"template\";\"code\"\r\na;sms;code;login;1\r\n",
			"tab":       "receiver\tchannel\ttype\ttemplate\tcode\na\tsms\tcode\tlogin\t1,2\n",
		} {
			rows := slices.Collect(readCSV("x.csv", strings.NewReader(in)))
			require.Len(t, rows, 1, name)
			require.NoError(t, errors.Join(rows[0].Err, rows[0].End), name)
			assert.Equal(t, "sms-code", rows[0].lane(), name)
		}
	})

	t.Run("UTF16IsRefused", func(t *testing.T) {
		t.Parallel()
		for _, in := range []string{"\xff\xfer\x00e\x00", "\xfe\xff\x00r\x00e"} {
			rows := slices.Collect(readCSV("x.csv", strings.NewReader(in)))
			require.Len(t, rows, 1)
			assert.ErrorContains(t, rows[0].End, `save it as "CSV UTF-8"`)
		}
	})

	t.Run("WrongHeadingEndsIt", func(t *testing.T) {
		t.Parallel()
		for _, in := range []string{"", "a,b,c\n", "receiver,type,channel,template\nx,y,z,w\n"} {
			for row := range readCSV("x.csv", strings.NewReader(in)) {
				require.ErrorContains(t, row.End, "x.csv")
			}
		}
	})
}

// FuzzReadCSV: whatever the input, rows are numbered without a gap, and a
// second reading finds the same, as a source that resumes must.
func FuzzReadCSV(f *testing.F) {
	f.Add(heading + "a,sms,code,login,1\n")
	f.Add(heading + "\"a,sms\n,code,login,1\n\"\"\n")
	f.Add("\ufeff" + heading)
	f.Add("receiver;channel;type;template\na;sms;code;login\n")
	f.Add("\xff\xfer\x00")
	f.Fuzz(func(t *testing.T, in string) {
		var first []string
		for row := range readCSV("x", strings.NewReader(in)) {
			if row.End == nil {
				first = append(first, row.ID+row.Receiver)
				require.EqualValues(t, len(first), row.Number)
			}
			if row.End == nil && row.Err == nil {
				require.NoError(t, row.validate())
			}
		}
		n := 0
		for row := range readCSV("x", strings.NewReader(in)) {
			if row.End == nil {
				require.Equal(t, first[n], row.ID+row.Receiver)
				n++
			}
		}
		require.Len(t, first, n)
	})
}
