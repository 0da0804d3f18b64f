package harness

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Chart is a drawing of one panel or several beside one another. All are about
// the same contestants.
type Chart struct {
	Title  string
	Panels []Panel
}

// Panel shows one metric of one row.
type Panel struct {
	Heading string
	Row     string // its ID
	Metric  Metric
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

// Draw writes a chart as SVG, with bars from left to right. A contestant that
// did not give the metric has no bar. A row that was not measured is an error.
func Draw(w io.Writer, c Chart, results []*Result) error {
	shown, err := c.shown(results)
	if err != nil {
		return fmt.Errorf("chart %q: %w", c.Title, err)
	}
	canvas := vgsvg.New(size(shown))
	if err := c.draw(draw.New(canvas), shown); err != nil {
		return fmt.Errorf("chart %q: %w", c.Title, err)
	}
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	// The page that shows it need not have the font it was laid out with;
	// these have its measures.
	_, err = w.Write(bytes.ReplaceAll(svg.Bytes(), []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif")))
	return err
}

// shown are the results of the panels, one for each.
func (c Chart) shown(results []*Result) (shown []*Result, err error) {
	for _, p := range c.Panels {
		i := slices.IndexFunc(results, func(r *Result) bool { return r.Row.ID == p.Row })
		if i < 0 {
			return nil, fmt.Errorf("row %s was not measured", p.Row)
		}
		shown = append(shown, results[i])
	}
	if len(shown) == 0 {
		return nil, errors.New("it has no panels")
	}
	return shown, nil
}

func size(shown []*Result) (width, height vg.Length) {
	bars := vg.Length(len(shown[0].Row.Contestants))
	return vg.Length(len(shown))*panelWidth + nameWidth, bars*barHeight*1.35 + 1.4*vg.Inch
}

func (c Chart) draw(dc draw.Canvas, shown []*Result) error {
	dc.FillPolygon(color.White, []vg.Point{
		dc.Min, {X: dc.Max.X, Y: dc.Min.Y}, dc.Max, {X: dc.Min.X, Y: dc.Max.Y},
	})
	dc.FillText(ink(14, draw.XCenter, draw.YTop), vg.Point{X: dc.Center().X, Y: dc.Max.Y - 8}, c.Title)

	plots := make([]*plot.Plot, len(shown))
	for i, r := range shown {
		p, err := c.Panels[i].plot(r)
		if err != nil {
			return err
		}
		if i == 0 {
			showNames(p, r.Row.Contestants)
		}
		plots[i] = p
	}
	tiles := draw.Tiles{Rows: 1, Cols: len(plots), PadTop: 34, PadBottom: 8, PadLeft: 10, PadRight: 14, PadX: 16}
	for i, dc := range plot.Align([][]*plot.Plot{plots}, tiles, dc)[0] {
		plots[i].Draw(dc)
	}
	return nil
}

// ink is text of a size, placed so.
func ink(size float64, x draw.XAlignment, y draw.YAlignment) text.Style {
	return text.Style{
		Color:   inkColor,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Length(size)},
		Handler: plot.DefaultTextHandler,
		XAlign:  x, YAlign: y,
	}
}

// plot is the panel without names.
func (c Panel) plot(r *Result) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = c.Heading
	p.Title.TextStyle = ink(12, draw.XCenter, draw.YTop)
	p.X.Label.Text = c.axis(r)
	p.X.Label.TextStyle = ink(10, draw.XCenter, draw.YBottom)
	p.X.Tick.Marker, p.X.LineStyle.Width = plot.ConstantTicks(nil), 0 // each bar has its number
	p.HideY()
	names := r.Row.Contestants
	longest := 0.0
	for i := range names {
		v := c.value(r, names[i].Name)
		if math.IsNaN(v) {
			continue
		}
		longest = max(longest, v)
		if err := c.bar(p, r, i, v); err != nil {
			return nil, err
		}
	}
	if longest == 0 {
		longest = 1
	}
	p.X.Min, p.X.Max = 0, longest*1.22 // room for the number behind the longest bar
	p.Y.Min, p.Y.Max = -0.6, float64(len(names))-0.4
	return p, nil
}

func (c Panel) axis(r *Result) string {
	if c.Absolute {
		return c.Metric.Name
	}
	return fmt.Sprintf("%s, %s = 1", c.Metric.Name, r.Row.Contestants[0].Name)
}

func (c Panel) value(r *Result, name string) float64 {
	if c.Absolute {
		return r.Median(name, c.Metric)
	}
	return r.Ratio(name, r.Row.Contestants[0].Name, c.Metric)
}

// bar draws the i-th contestant with its number behind it, the first on top.
func (c Panel) bar(p *plot.Plot, r *Result, i int, v float64) error {
	at := float64(len(r.Row.Contestants) - 1 - i)
	b, err := plotter.NewBarChart(plotter.Values{v}, barHeight)
	if err != nil {
		return err
	}
	b.Horizontal, b.XMin, b.LineStyle.Width = true, at, 0
	switch {
	case r.Row.Contestants[i].Name == Ours:
		b.Color = oursColor
	case i == 0:
		b.Color = baseColor
	default:
		b.Color = peerColor
	}
	number := digits(v)
	if c.Absolute {
		number = c.Metric.Unit.Format(v)
	}
	label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: v, Y: at}}, Labels: []string{number}})
	if err != nil {
		return err
	}
	label.TextStyle[0] = ink(10, draw.XLeft, draw.YCenter)
	label.Offset.X = 4
	p.Add(b, label)
	return nil
}

// showNames gives a plot its vertical axis, with names and no line.
func showNames(p *plot.Plot, contestants []Contestant) {
	ticks := make([]plot.Tick, len(contestants))
	for i, c := range contestants {
		ticks[i] = plot.Tick{Value: float64(len(contestants) - 1 - i), Label: c.Name}
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Label = ink(11, draw.XRight, draw.YCenter)
	p.Y.Tick.LineStyle.Width = 0
	p.Y.Tick.Length = 0
}
