package harness

// Ours is the name of the contestant that a target speaks of if it names none.
const Ours = "lastcall"

// Row is one piece of work and those who do it.
type Row struct {
	// ID is short and unique, such as "a16".
	ID string
	// Title heads the row's table, Work says in a sentence what is done.
	Title, Work string
	// N is how much work a trial is: tasks, items, requests. ShortN is that of
	// a short run, which takes milliseconds.
	N, ShortN int
	// Rounds bounds how often each contestant runs. Zero: as often as the
	// caller of [Measure] says.
	Rounds int
	// Contestants, the baseline first.
	Contestants []Contestant
	// Columns are what the table shows. Empty: Wall, CPU, Allocs.
	Columns []Metric
	// Targets are what the row is to show. Empty: it is there to be seen.
	Targets []Target
	// Notes say what is unfair to whom, and what to make of the numbers.
	Notes []string
}

// Contestant does the work of a row in its way.
type Contestant struct {
	Name string
	// Setup is how it was configured, for the table.
	Setup string
	// Run does the work once; see the package documentation. An error ends the
	// measurement.
	Run func(*Trial) error
}

func (r Row) columns() []Metric {
	if len(r.Columns) == 0 {
		return []Metric{Wall, CPU, Allocs}
	}
	return r.Columns
}

func (r Row) contestant(name string) int {
	for i, c := range r.Contestants {
		if c.Name == name {
			return i
		}
	}
	return -1
}
