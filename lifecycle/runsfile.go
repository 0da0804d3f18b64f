package lifecycle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// mostOfRun is how long a line may be. A longer receipt is shortened.
	mostOfRun = 32 << 10
	// mostOfRuns is far beyond what a list takes that we have written.
	mostOfRuns = 2 * mostRuns * mostOfRun
)

// kept is what a start has found in the list of runs and put there.
type kept struct {
	runs    []LastRun // the latest first
	problem error     // why the list is not what it should be; nil: it is
}

// runsFile is where the runs are that came before the one in the receipt file.
func runsFile(receiptFile string) string {
	return strings.TrimSuffix(receiptFile, filepath.Ext(receiptFile)) + ".runs.jsonl"
}

// keepRun puts the last run at the end of the list, if it is not there yet: a
// start may have died between doing so and taking the place of its receipt.
func keepRun(file string, last LastRun) kept {
	lines, problem := readRuns(file)
	if lines == nil && problem != nil {
		return kept{problem: problem} // who knows what it is: it is not ours to replace
	}
	if last.isOver() {
		line, err := last.listed().line()
		switch {
		case err != nil:
			problem = errors.Join(problem, err)
		case last.State == RunUnknown || len(lines) == 0 || !bytes.Equal(lines[len(lines)-1].text, line.text):
			lines = append(lines, line)
			lines = lines[max(0, len(lines)-mostRuns):]
			problem = errors.Join(problem, writeRuns(file, lines))
		}
	}
	k := kept{problem: problem}
	for _, line := range slices.Backward(lines) {
		k.runs = append(k.runs, line.run)
	}
	return k
}

// runLine is one run, and how it is written.
type runLine struct {
	run  LastRun
	text []byte // without the end of the line
}

// line writes a run, shortened if it has to be.
func (l LastRun) line() (runLine, error) {
	text, err := json.Marshal(l)
	if err == nil && len(text) > mostOfRun {
		l = l.shortened()
		text, err = json.Marshal(l)
	}
	if err == nil && len(text) > mostOfRun {
		err = fmt.Errorf("the run before takes %d bytes", len(text))
	}
	return runLine{l, text}, err
}

// readRuns returns the last lines that are runs. The error says which are none;
// without lines it says why the file cannot be read.
func readRuns(file string) ([]runLine, error) {
	text, err := readSmallFile(file, mostOfRuns)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	lines, damaged := []runLine{}, 0
	for text := range bytes.Lines(text) {
		text = bytes.TrimRight(text, "\r\n")
		var run LastRun
		switch err := json.Unmarshal(text, &run); {
		case len(text) == 0:
		case err != nil || !run.isOver() || len(text) > mostOfRun:
			damaged++
		default:
			lines = append(lines, runLine{run.listed(), bytes.Clone(text)})
		}
	}
	if damaged > 0 {
		err = fmt.Errorf("%s: %d of its lines cannot be read and are left out", file, damaged)
	}
	return lines[max(0, len(lines)-mostRuns):], err
}

func writeRuns(file string, lines []runLine) error {
	var text bytes.Buffer
	for _, line := range lines {
		text.Write(line.text)
		text.WriteByte('\n')
	}
	if err := replaceFile(file, text.Bytes()); err != nil {
		return fmt.Errorf("the run before could not be written to %s, make its directory writable: %w", file, err)
	}
	return nil
}
