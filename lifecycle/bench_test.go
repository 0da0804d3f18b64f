package lifecycle_test

import (
	"context"
	"fmt"
	"testing"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
)

type part struct{ n int }

// parts are n components. Each stands on two that were made before it, and
// has a hook.
func parts(n int) fx.Option {
	name := func(i int) string { return fmt.Sprintf(`name:"%d"`, i) }
	opts := make([]fx.Option, 0, n+1)
	for i := range n {
		hook := fx.StartStopHook(func(context.Context) error { return nil }, func(context.Context) error { return nil })
		if i == 0 {
			opts = append(opts, fx.Provide(fx.Annotate(func(lc fx.Lifecycle) *part {
				lc.Append(hook)
				return &part{}
			}, fx.ResultTags(name(0)))))
			continue
		}
		opts = append(opts, fx.Provide(fx.Annotate(func(lc fx.Lifecycle, a, b *part) *part {
			lc.Append(hook)
			return &part{n: i}
		}, fx.ParamTags("", name(i-1), name(i/2)), fx.ResultTags(name(i)))))
	}
	return fx.Options(append(opts, fx.Invoke(fx.Annotate(func(*part) {}, fx.ParamTags(name(n-1)))))...)
}

// BenchmarkBootAndStop builds, starts and stops an application of many
// components, in plain Fx and conducted.
func BenchmarkBootAndStop(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		for _, tt := range []struct {
			name string
			opts fx.Option
		}{
			{"PlainFx", fx.NopLogger},
			{"Module", fx.Options(lifecycle.Module(), fx.NopLogger)},
			{"ModuleAndTap", fx.Options(lifecycle.Module(), tapped)},
			{"Parallel", fx.Options(lifecycle.Module(lifecycle.WithConfig(lifecycle.Config{Parallel: true})), tapped)},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, tt.name), func(b *testing.B) {
				ctx := context.Background()
				for b.Loop() {
					a := fx.New(parts(n), tt.opts)
					if err := a.Start(ctx); err != nil {
						b.Fatal(err)
					}
					if err := a.Stop(ctx); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
