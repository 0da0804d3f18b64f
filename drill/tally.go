package drill

// Tally counts what became of the work that was offered in one life, in all
// lives that ended by the same kill, or in all.
//
//	Offered  = Accepted + Refused + Unknown
//	Accepted = Delivered + Failed + Saved + Lost
type Tally struct {
	Offered  int
	Accepted int
	Refused  int
	Unknown  int

	// Delivered counts accepted work that the sink has seen at least once.
	Delivered int
	// Failed counts accepted work that was not delivered and is recorded as
	// failed.
	Failed int
	// Saved counts accepted work that was neither delivered nor recorded as
	// failed, and is saved.
	Saved int
	// Lost counts accepted work of which there is no trace.
	Lost int

	// UnknownDelivered counts those of Unknown that were delivered: the
	// program had accepted them. That is right.
	UnknownDelivered int
	// RefusedDelivered counts those of Refused that were delivered. That is
	// wrong.
	RefusedDelivered int
	// FailedDelivered counts work that was recorded as failed or saved, and
	// was delivered as well: whoever sends it again duplicates it.
	FailedDelivered int

	// Duplicated counts deliveries beyond the first of an id, where the end of
	// this life is to blame: the delivery before was in this life.
	Duplicated int
	// Repeated counts those of Duplicated that came within this life: no kill
	// explains them.
	Repeated int
}

// add counts one fate, and reports whether it is lost.
func (t *Tally) add(f *fate) (lost bool) {
	t.Offered++
	if f.delivered > 0 && (f.failed || f.saved) {
		t.FailedDelivered++
	}
	switch f.answer {
	case Accepted:
		t.Accepted++
		return t.addAccepted(f)
	case Refused:
		t.Refused++
		t.RefusedDelivered += btoi(f.delivered > 0)
	default:
		t.Unknown++
		t.UnknownDelivered += btoi(f.delivered > 0)
	}
	return false
}

func (t *Tally) addAccepted(f *fate) (lost bool) {
	switch {
	case f.delivered > 0:
		t.Delivered++
	case f.failed:
		t.Failed++
	case f.saved:
		t.Saved++
	default:
		t.Lost++
		return true
	}
	return false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// plus is the sum, column by column.
func (t Tally) plus(o Tally) Tally {
	return Tally{
		Offered:          t.Offered + o.Offered,
		Accepted:         t.Accepted + o.Accepted,
		Refused:          t.Refused + o.Refused,
		Unknown:          t.Unknown + o.Unknown,
		Delivered:        t.Delivered + o.Delivered,
		Failed:           t.Failed + o.Failed,
		Saved:            t.Saved + o.Saved,
		Lost:             t.Lost + o.Lost,
		UnknownDelivered: t.UnknownDelivered + o.UnknownDelivered,
		RefusedDelivered: t.RefusedDelivered + o.RefusedDelivered,
		FailedDelivered:  t.FailedDelivered + o.FailedDelivered,
		Duplicated:       t.Duplicated + o.Duplicated,
		Repeated:         t.Repeated + o.Repeated,
	}
}
