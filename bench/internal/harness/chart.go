package harness

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Chart says what is drawn: one metric of rows that have the same contestants,
// a panel for each row.
type Chart struct {
	Title  string
	Metric Metric
	// Panels are headings, one for each result that is drawn.
	Panels []string
	// Absolute draws values, and not ratios to the baseline.
	Absolute bool
}

var (
	oursColor = color.RGBA{R: 0x0b, G: 0x6e, B: 0x4f, A: 0xff}
	baseColor = color.RGBA{R: 0x6b, G: 0x72, B: 0x80, A: 0xff}
	peerColor = color.RGBA{R: 0xb6, G: 0xc4, B: 0xd6, A: 0xff}
	inkColor  = color.RGBA{R: 0x1f, G: 0x29, B: 0x37, A: 0xff}
)

const (
	panelWidth = 3.1 * vg.Inch
	nameWidth  = 0.9 * vg.Inch
	barHeight  = 0.24 * vg.Inch
)

// Draw writes a chart as SVG: bars from left to right, shorter is better. A
// contestant that did not give the metric has no bar.
func Draw(w io.Writer, c Chart, results []*Result) error {
	if len(results) == 0 || len(results) != len(c.Panels) {
		return fmt.Errorf("chart %q: there are %d results for %d panels", c.Title, len(results), len(c.Panels))
	}
	contestants := len(results[0].Row.Contestants)
	width := vg.Length(len(results))*panelWidth + nameWidth
	height := vg.Length(contestants)*barHeight*1.4 + 1.3*vg.Inch
	canvas := vgsvg.New(width, height)
	dc := draw.New(canvas)
	dc.FillPolygon(color.White, dc.ClipPolygonXY([]vg.Point{
		dc.Min, {X: dc.Max.X, Y: dc.Min.Y}, dc.Max, {X: dc.Min.X, Y: dc.Max.Y},
	}))

	heading := draw.TextStyle{
		Color: inkColor, Font: font.From(plot.DefaultFont, 14),
		Handler: plot.DefaultTextHandler, XAlign: draw.XCenter, YAlign: draw.YTop,
	}
	dc.FillText(heading, vg.Point{X: dc.Center().X, Y: dc.Max.Y - 6}, c.Title)

	panels := make([]*plot.Plot, len(results))
	for i, r := range results {
		p, err := c.panel(i, r)
		if err != nil {
			return fmt.Errorf("chart %q: %w", c.Title, err)
		}
		panels[i] = p
	}
	tiles := draw.Tiles{Rows: 1, Cols: len(panels), PadTop: 30, PadBottom: 8, PadLeft: 8, PadRight: 12, PadX: 14}
	for i, dc := range plot.Align([][]*plot.Plot{panels}, tiles, dc)[0] {
		panels[i].Draw(dc)
	}
	_, err := canvas.WriteTo(w)
	return err
}

// panel is the plot of one row.
func (c Chart) panel(i int, r *Result) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = c.Panels[i]
	p.Title.TextStyle.Color = inkColor
	p.X.Min = 0
	p.X.Label.Text = c.axis(r)
	p.HideY()
	names := r.Row.Contestants
	longest := 0.0
	for k := range names {
		at := len(names) - 1 - k // the first is on top
		v := c.value(r, names[k].Name)
		if math.IsNaN(v) {
			continue
		}
		longest = max(longest, v)
		if err := c.bar(p, names[k].Name, k == 0, float64(at), v); err != nil {
			return nil, err
		}
	}
	p.X.Max = longest * 1.22 // room for the number behind the longest bar
	if i == 0 {
		ticks := make([]plot.Tick, len(names))
		for k := range names {
			ticks[k] = plot.Tick{Value: float64(len(names) - 1 - k), Label: names[k].Name}
		}
		showNames(p, ticks)
	}
	p.Y.Min, p.Y.Max = -0.6, float64(len(names))-0.4
	return p, nil
}

func (c Chart) axis(r *Result) string {
	if c.Absolute {
		return c.Metric.Name
	}
	return fmt.Sprintf("%s, %s = 1", c.Metric.Name, r.Row.Contestants[0].Name)
}

func (c Chart) value(r *Result, name string) float64 {
	if c.Absolute {
		return r.Median(name, c.Metric)
	}
	return r.Ratio(name, r.Row.Contestants[0].Name, c.Metric)
}

// bar draws one contestant with its number behind it.
func (c Chart) bar(p *plot.Plot, name string, isBase bool, at, v float64) error {
	b, err := plotter.NewBarChart(plotter.Values{v}, barHeight)
	if err != nil {
		return err
	}
	b.Horizontal, b.XMin, b.LineStyle.Width = true, at, 0
	switch {
	case name == Ours:
		b.Color = oursColor
	case isBase:
		b.Color = baseColor
	default:
		b.Color = peerColor
	}
	text := digits(v)
	if c.Absolute {
		text = c.Metric.Unit.Format(v)
	}
	number, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: v, Y: at}}, Labels: []string{text}})
	if err != nil {
		return err
	}
	number.TextStyle[0].YAlign = draw.YCenter
	number.TextStyle[0].Color = inkColor
	number.Offset.X = 4
	p.Add(b, number)
	return nil
}

// showNames gives back the vertical axis, with names and no line.
func showNames(p *plot.Plot, ticks []plot.Tick) {
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Label.Font = font.From(plot.DefaultFont, 11)
	p.Y.Tick.Label.Color = inkColor
	p.Y.Tick.Label.XAlign = draw.XRight
	p.Y.Tick.Label.YAlign = draw.YCenter
	p.Y.Tick.LineStyle.Width = 0
	p.Y.Tick.Length = 0
}
