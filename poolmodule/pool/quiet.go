package pool

import "context"

// quietness lets callers wait until nothing waits or runs, in a pool or in one
// of its lanes.
type quietness struct {
	pool     *Pool         // its lock guards what isLocked looks at
	isLocked func() bool   // whether it is so now
	told     chan struct{} // closed by tellLocked; nil while nobody waits
}

// await calls fn under the lock at a moment when it is quiet. false: ctx or
// hurry ended the waiting.
func (q *quietness) await(ctx context.Context, hurry <-chan struct{}, fn func()) bool {
	for {
		q.pool.lock()
		if q.isLocked() {
			fn()
			q.pool.unlock()
			return true
		}
		if q.told == nil {
			q.told = make(chan struct{})
		}
		told := q.told
		q.pool.unlock()

		select {
		case <-told:
		case <-ctx.Done():
			return false
		case <-hurry:
			return false
		}
	}
}

// tellLocked is called wherever it may have become quiet.
func (q *quietness) tellLocked() {
	if q.told != nil && q.isLocked() {
		close(q.told)
		q.told = nil
	}
}
