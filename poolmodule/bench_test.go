package poolmodule_test

import (
	"fmt"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// BenchmarkDeclare is what an application with many pools takes to be put
// together. It should grow little faster than their number.
func BenchmarkDeclare(b *testing.B) {
	for _, pools := range []int{100, 400} {
		b.Run(fmt.Sprint(pools), func(b *testing.B) {
			opts := []fx.Option{poolmodule.Module, fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger })}
			for i := range pools {
				name := fmt.Sprintf("p%d", i)
				opts = append(opts, poolmodule.Provide(name, pool.Config{}),
					fx.Invoke(fx.Annotate(func(*pool.Pool) {}, fx.ParamTags(fmt.Sprintf("name:%q", name)))))
			}
			for b.Loop() {
				if err := fx.New(opts...).Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
