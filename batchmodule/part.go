package batchmodule

import (
	"fmt"
	"reflect"

	"go.uber.org/fx"
)

// part is one of the functions a batcher is made of, on its way through the
// graph.
type part struct {
	option fx.Option // provides it
	tag    string    // asks for it
}

// partOf provides the function F that constructor returns, or that it is. It
// is private to the module around it and named after its role, since sink and
// saver have the same type.
func partOf[F any](name, role string, constructor any) (part, error) {
	want := reflect.TypeFor[F]()
	t := reflect.TypeOf(constructor)
	switch {
	case t == nil:
		return part{}, fmt.Errorf("%s: is nil; give a constructor that returns %v", role, want)
	case t == want:
		fn := constructor.(F)
		constructor = func() F { return fn }
	case t.Kind() != reflect.Func:
		// The work of fx.Annotate cannot be annotated again, nor looked into:
		// if it returns something else, Fx will miss what it should return.
		return part{option: fx.Provide(constructor, fx.Private)}, nil
	case t.NumOut() == 0 || t.Out(0) != want:
		return part{}, fmt.Errorf("%s: is a %v; its first result must be %v", role, t, want)
	}
	tag := fmt.Sprintf("name:%q", "batch:"+name+" "+role)
	return part{option: fx.Provide(fx.Annotate(constructor, fx.ResultTags(tag)), fx.Private), tag: tag}, nil
}

// optionalPartOf is partOf for what need not be there.
func optionalPartOf[F any](name, role string, constructor any) (part, error) {
	if constructor == nil {
		// Nobody provides that name, so the constructor gets nil.
		return part{option: fx.Options(), tag: fmt.Sprintf(`name:%q optional:"true"`, "batch:"+name+" "+role)}, nil
	}
	return partOf[F](name, role, constructor)
}
