package deadletter

import (
	"context"
)

// dropGroup is how many letters are dropped at a time.
const dropGroup = 1000

// Drop throws letters away for good. An id of the filter that no letter has is
// among Summary.Missing.
func Drop(ctx context.Context, box Box, o Options) (Summary, error) {
	s := Summary{DryRun: o.DryRun}
	ids := o.Filter.ids()
	var group []uint64
	flush := func() error {
		if !o.DryRun {
			if err := box.Drop(ctx, group...); err != nil {
				return err
			}
		}
		s.Done += len(group)
		group = group[:0]
		o.progress(&s)
		return ctx.Err()
	}
	for l, err := range o.Filter.Of(box.All(ctx)) {
		if err != nil {
			return s, err
		}
		s.Matched++
		delete(ids, l.ID)
		if group = append(group, l.Seq); len(group) == dropGroup {
			if err := flush(); err != nil {
				return s, err
			}
		}
	}
	if err := flush(); err != nil {
		return s, err
	}
	s.failMissing(&o.Filter, ids)
	return s, nil
}
