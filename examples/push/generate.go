package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/examples/push/provider"
)

// generate writes an input of n rows, and the list of those who have
// unsubscribed, and returns what must become of the rows. The same n makes the
// same rows.
//
// Of a hundred rows about one has a duplicate; now and then a receiver has
// unsubscribed, is gone, or the row makes no sense.
func generate(n int, input, unsubscribed string) (Sum, error) {
	g := generator{rng: rand.New(rand.NewPCG(1, 2)), unsubscribed: map[string]bool{}}
	for len(g.rows) < n {
		g.round()
	}
	g.rows = g.rows[:n]
	return g.expected(), errors.Join(g.writeRows(input), g.writeUnsubscribed(unsubscribed))
}

type generator struct {
	rng          *rand.Rand
	rows         []Row
	receivers    int
	rounds       int
	unsubscribed map[string]bool
}

// round adds some rows to each lane, in no order: a sale for 20 receivers, now
// and then for 120; a notice for 10; and 5 codes, each of its own.
func (g *generator) round() {
	g.rounds++
	var rows []Row
	add := func(n int, channel, kind, template string, params map[string]string) {
		for range n {
			rows = append(rows, g.row(channel, kind, template, params)...)
		}
	}
	shop, day := fmt.Sprintf("Shop %d", g.rounds), fmt.Sprintf("June %d", 1+g.rounds%30)
	for i, channel := range channels {
		sale := 20
		if (i+g.rounds)%48 == 0 {
			sale = 120
		}
		add(sale, channel, "marketing", "sale", map[string]string{"shop": shop, "percent": fmt.Sprint(5 + i), "day": day})
		add(10, channel, "notice", "parcel", map[string]string{"shop": shop, "day": day})
		for range 5 {
			add(1, channel, "code", "login", map[string]string{"code": fmt.Sprintf("%06d", g.rng.IntN(1_000_000))})
		}
	}
	g.rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	g.rows = append(g.rows, rows...)
}

// row is a row, with its duplicate if it has one.
func (g *generator) row(channel, kind, template string, params map[string]string) []Row {
	g.receivers++
	row := Row{Receiver: fmt.Sprintf("u%06d", g.receivers), Channel: channel, Type: kind, Template: template, Params: params}
	switch dice := g.rng.IntN(1000); {
	case dice < 1:
		row.Channel = "pigeon"
	case dice < 6:
		row.Receiver = fmt.Sprintf("%s%06d", provider.Gone, g.receivers)
	case dice < 16:
		g.unsubscribed[row.Receiver] = true // from marketing; he still gets codes
	case dice < 26:
		return []Row{row, row}
	}
	return []Row{row}
}

func (g *generator) expected() (sum Sum) {
	had := map[place]bool{}
	for _, row := range g.rows {
		text, _ := row.text() // the templates are ours
		at := place{row.lane(), text, row.Receiver}
		switch {
		case row.validate() != nil:
			sum.Bad++
		case had[at] || row.Type == "marketing" && g.unsubscribed[row.Receiver]:
			sum.Filtered++
		case strings.HasPrefix(row.Receiver, provider.Gone):
			sum.Failed++
		default:
			sum.Delivered++
		}
		had[at] = true
	}
	return sum
}

func (g *generator) writeRows(name string) error {
	params := []string{"shop", "percent", "day", "code"}
	lines := [][]string{slices.Concat(columns, params)}
	for _, row := range g.rows {
		line := []string{row.Receiver, row.Channel, row.Type, row.Template}
		for _, p := range params {
			line = append(line, row.Params[p])
		}
		lines = append(lines, line)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(csv.NewWriter(f).WriteAll(lines), f.Close())
}

func (g *generator) writeUnsubscribed(name string) error {
	var list strings.Builder
	for receiver := range g.unsubscribed {
		list.WriteString(receiver + "\n")
	}
	return os.WriteFile(name, []byte(list.String()), 0o644)
}
