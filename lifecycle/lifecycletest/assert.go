package lifecycletest

import (
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// AssertStopOrder asserts that the components stopped in this order: that each
// was done, its PreDestroy too, or was given up, before the next began. Others
// may have stopped between them.
func AssertStopOrder(t TB, receipt *lifecycle.Receipt, components ...string) bool {
	t.Helper()
	if !there(t, receipt) {
		return false
	}
	ok := true
	places := make([]int, 0, len(components))
	for _, name := range components {
		place := slices.IndexFunc(receipt.Components, func(c lifecycle.ComponentReport) bool { return c.Name == name })
		if place < 0 {
			t.Errorf("lifecycletest: %q is no component of this receipt; it has %s", name, inOrder(receipt))
			ok = false
			continue
		}
		places = append(places, place)
	}
	for i := 1; i < len(places); i++ {
		first, second := receipt.Components[places[i-1]], receipt.Components[places[i]]
		if places[i-1] > places[i] || overlap(first, second) {
			t.Errorf("lifecycletest: %q was not done before %q began; the order was %s\n%s", first.Name, second.Name, inOrder(receipt), receipt)
			ok = false
		}
	}
	return ok
}

// overlap reports whether the second began before the first was done. A
// component of which no hook ran takes no time.
func overlap(first, second lifecycle.ComponentReport) bool {
	_, end, ran := span(first)
	begin, _, alsoRan := span(second)
	return ran && alsoRan && begin < end
}

// span is when the hooks of a component began and ended.
func span(c lifecycle.ComponentReport) (begin, end time.Duration, ran bool) {
	for _, h := range []*lifecycle.HookReport{c.Stop, c.PreDestroy} {
		if h == nil {
			continue
		}
		if !ran {
			begin, ran = h.Began, true
		}
		end = h.Began + h.Took
	}
	return begin, end, ran
}

func inOrder(receipt *lifecycle.Receipt) string {
	all := make([]string, len(receipt.Components))
	for i, c := range receipt.Components {
		all[i] = c.Name
	}
	return strings.Join(all, ", ")
}

// AssertNoLeaks asserts that no component left a goroutine behind. Without
// the tap of app.New ([lifecycle.Conductor.Tap]) only goroutines that hooks
// started are known.
func AssertNoLeaks(t TB, receipt *lifecycle.Receipt) bool {
	t.Helper()
	if !there(t, receipt) {
		return false
	}
	for _, l := range receipt.Leaks {
		t.Errorf("lifecycletest: %q left %d goroutine(s) behind in %s\n%s", l.Component, l.Count, l.Where, l.Stack)
	}
	return len(receipt.Leaks) == 0
}

// AssertBalanced asserts that all accepted work is accounted for: the ledger
// of every gate balances, nothing was lost, and nothing is inside.
func AssertBalanced(t TB, receipt *lifecycle.Receipt) bool {
	t.Helper()
	if !there(t, receipt) {
		return false
	}
	ok := true
	for _, g := range receipt.Gates {
		switch {
		case !g.Balanced:
			t.Errorf("lifecycletest: the ledger of %q does not balance: offered %d, rejected %d, %s", g.Name, g.Ledger.Offered, g.Ledger.Rejected, g.Ledger)
		case g.Ledger.Lost+g.Ledger.Inside > 0:
			t.Errorf("lifecycletest: %q lost work, or has some inside: %s", g.Name, g.Ledger)
		default:
			continue
		}
		ok = false
	}
	return ok
}

// AssertClean asserts that the application would exit with 0: nothing had
// failed before the stop, the start included, every hook of the stop was well
// and all accepted work is accounted for ([lifecycle.Receipt.Clean]). Leaks
// are another matter: see [AssertNoLeaks].
func AssertClean(t TB, receipt *lifecycle.Receipt) bool {
	t.Helper()
	if !there(t, receipt) {
		return false
	}
	if !receipt.Clean() {
		t.Errorf("lifecycletest: the stop was not clean\n%s", receipt)
	}
	return receipt.Clean()
}

func there(t TB, receipt *lifecycle.Receipt) bool {
	t.Helper()
	if receipt == nil {
		t.Errorf("lifecycletest: there is no receipt: the application has not been stopped")
	}
	return receipt != nil
}
