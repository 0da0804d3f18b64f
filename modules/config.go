package modules

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// configuration reads the sources into all sections at once, so that
// everything that is wrong is told together.
func configuration() fx.Option {
	return fx.Options(
		fx.Provide(
			loadConfig,
			newReloader,
			fx.Annotate((*reloader).configEndpoints, fx.ResultTags(`group:"lastcall.endpoints,flatten"`)),
		),
		Section("reload", Reload{}),
		fx.Invoke(answer),
		// Nobody need ask for it.
		fx.Invoke(func(*reloader) {}),
	)
}

// Sources says where the configuration comes from, in place of
// [config.FromProcess]: a test gives a zero config.Options, to read nothing.
func Sources(opts config.Options) fx.Option { return fx.Supply(sources{&opts}) }

// sources is how Sources travels through the graph.
type sources struct{ options *config.Options }

type loadIn struct {
	fx.In

	Sources  sources          `optional:"true"`
	Sections []config.Section `group:"lastcall.sections"`
	Flags    []config.Flag    `group:"lastcall.flags"`
}

func loadConfig(in loadIn) (*config.Values, error) {
	opts := config.FromProcess()
	if in.Sources.options != nil {
		opts = *in.Sources.options
	}
	opts.Flags = slices.Concat(opts.Flags, in.Flags)
	return config.Load(opts, in.Sections...)
}

type answerIn struct {
	fx.In

	Values    *config.Values
	Conductor *lifecycle.Conductor `optional:"true"`
	Dot       fx.DotGraph
}

// answer is asked for with --help and the --print flags: app.Run then does
// this instead of starting.
func answer(in answerIn) error {
	wants := in.Values.Wants()
	if wants == (config.Wants{}) {
		return nil
	}
	if in.Conductor == nil {
		return errors.New("modules: --help and the --print flags are answered by app.Run only")
	}
	switch {
	case wants.Help:
		in.Conductor.Instead(in.Values.Usage)
	case wants.PrintConfig:
		in.Conductor.Instead(in.Values.Print)
	case wants.PrintGraph:
		in.Conductor.Instead(in.printGraph)
	}
	return nil
}

// printGraph writes one text that is both: a graph for Graphviz, with the plan
// of the stop as a comment before it.
func (in answerIn) printGraph(w io.Writer) error {
	plan, err := in.Conductor.Plan()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("// The order of the stop; the start is the other way round.\n")
	for line := range strings.Lines(plan.String()) {
		b.WriteString("// " + line)
	}
	b.WriteString(string(in.Dot))
	_, err = fmt.Fprintln(w, b.String())
	return err
}
