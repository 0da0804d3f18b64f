package filejournal

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

const quarantineDir = "quarantine"

// report writes damage down: the bytes, as they are in data, to a file of
// their own with a text beside it, the missing entries off the count of the
// living. If the bytes cannot be brought to safety, the segment is kept. It is
// called before the journal has other users, or with its mutex held.
func (j *Journal) report(s *segment, d Damage, data []byte) {
	d.Journal, d.Segment = j.name, s.name()
	s.spoilt = s.spoilt || !d.Torn
	if d.First > 0 && d.First <= d.Last && s.count > 0 {
		before := s.live
		s.forget(d.First, d.Last)
		d.Lost = before - s.live
	} else {
		d.First, d.Last = 0, 0
	}
	if end := d.Offset + d.Bytes; d.Bytes > 0 && end <= int64(len(data)) {
		path, err := j.quarantine(s, d, data[d.Offset:end])
		d.Quarantine = path
		if err != nil {
			d.Reason += fmt.Sprintf(" (the segment is kept, since its bytes could not be copied: %v)", err)
			s.keep = true
		}
	}
	j.damage = append(j.damage, d)
}

// quarantine copies bytes out of a segment, once: the next life will find the
// same again.
func (j *Journal) quarantine(s *segment, d Damage, bytes []byte) (string, error) {
	dir := filepath.Join(j.dir, quarantineDir)
	base := fmt.Sprintf("%s-at-%d-%d", strings.TrimSuffix(s.name(), segmentSuffix), d.Offset, d.Bytes)
	path := filepath.Join(dir, base+".bytes")
	names, err := j.fs.List(dir)
	if err != nil {
		return "", err
	}
	if slices.Contains(names, base+".txt") { // it is written last
		return path, nil
	}
	if j.looking {
		return "", nil
	}
	if err := j.fs.MkdirAll(dir); err != nil {
		return "", err
	}
	text := fmt.Sprintf("journal: %s\nsegment: %s\noffset: %d\nbytes: %d\nmissing entries: %d to %d\nnot acknowledged: %d\nreason: %s\n",
		d.Journal, d.Segment, d.Offset, d.Bytes, d.First, d.Last, d.Lost, d.Reason)
	if err := j.writeFile(path, bytes); err != nil {
		return "", err
	}
	return path, j.writeFile(filepath.Join(dir, base+".txt"), []byte(text))
}

func (j *Journal) writeFile(path string, bytes []byte) error {
	f, err := j.fs.Create(path)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(bytes, 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, j.fs.Remove(path))
	}
	if j.powerSafe() {
		return j.fs.SyncDir(filepath.Dir(path))
	}
	return nil
}
