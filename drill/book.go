package drill

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
)

// book is what the load saw and what the sink says, for every id.
type book struct {
	tag   string  // of the ids of this drill
	pages []*page // by life

	missing   int // accepted ids on finished pages that nobody has recorded
	strangers int // ids that the drill has not made
	stranger  string
}

// page is the part of the book for one life. A row is written by its
// generator alone, until the life is over; after that by the drill.
type page struct {
	tag  string
	life int
	rows [][]fate // by generator

	accepted atomic.Int64  // so far, by all generators
	wanted   int64         // of them; zero: nobody waits
	enough   chan struct{} // closed when as many are accepted

	duplicated int // deliveries for which the end of this life is to blame
	repeated   int // those of them that came within this life
}

// fate is what became of one id.
type fate struct {
	answer    Answer
	failed    bool
	saved     bool
	delivered uint16 // how often
	last      int32  // the life in which it was delivered last
}

// recorded reports whether anybody knows of it.
func (f *fate) recorded() bool { return f.delivered > 0 || f.failed || f.saved }

// open begins the page of the next life, in which somebody waits until so many
// are accepted.
func (b *book) open(generators, wanted int) *page {
	p := &page{tag: b.tag, life: len(b.pages) + 1, rows: make([][]fate, generators), wanted: int64(wanted), enough: make(chan struct{})}
	b.pages = append(b.pages, p)
	return p
}

// next makes the id for the next offer of a generator.
func (p *page) next(g int) (i int, id string) {
	i = len(p.rows[g])
	p.rows[g] = append(p.rows[g], fate{})
	return i, p.id(g, i)
}

func (p *page) id(g, i int) string { return fmt.Sprintf("%s.%d.%d.%d", p.tag, p.life, g, i) }

func (p *page) answer(g, i int, a Answer) {
	p.rows[g][i].answer = a
	if a == Accepted && p.accepted.Add(1) == p.wanted {
		close(p.enough)
	}
}

// close ends the page: its answers are complete. It returns how much was
// accepted.
func (b *book) close(p *page) (accepted int) {
	for _, row := range p.rows {
		for _, f := range row {
			if f.answer == Accepted {
				accepted++
			}
		}
	}
	b.missing += accepted
	return accepted
}

// find is the fate of an id, nil for one that was never offered.
func (b *book) find(id string) *fate {
	parts := strings.Split(id, ".")
	if len(parts) != 4 || parts[0] != b.tag {
		return nil
	}
	life, g, i := number(parts[1])-1, number(parts[2]), number(parts[3])
	if life < 0 || life >= len(b.pages) {
		return nil
	}
	rows := b.pages[life].rows
	if g < 0 || g >= len(rows) || i < 0 || i >= len(rows[g]) {
		return nil
	}
	return &rows[g][i]
}

// number is -1 for what is none, or not as we write it.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || strconv.Itoa(n) != s {
		return -1
	}
	return n
}

// record notes in the fate of an id what a source says of it.
func (b *book) record(id string, note func(f *fate)) {
	f := b.find(id)
	if f == nil {
		b.strangers++
		b.stranger = id
		return
	}
	if f.answer == Accepted && !f.recorded() {
		b.missing--
	}
	note(f)
}

// deliver notes a delivery in a life, and blames the life of the delivery
// before it, if there was one: its end took the memory of it.
func (b *book) deliver(id string, life int) {
	b.record(id, func(f *fate) {
		if f.delivered > 0 {
			b.pages[f.last-1].duplicated++
			if int(f.last) == life {
				b.pages[life-1].repeated++
			}
		}
		if f.delivered < math.MaxUint16 {
			f.delivered++
		}
		f.last = int32(life)
	})
}

func (b *book) fail(id string) { b.record(id, func(f *fate) { f.failed = true }) }
func (b *book) save(id string) { b.record(id, func(f *fate) { f.saved = true }) }

// tally counts the fates of a page; lost is called with each id that is lost.
func (p *page) tally(lost func(id string)) Tally {
	t := Tally{Duplicated: p.duplicated, Repeated: p.repeated}
	for g, row := range p.rows {
		for i := range row {
			if t.add(&row[i]) {
				lost(p.id(g, i))
			}
		}
	}
	return t
}
