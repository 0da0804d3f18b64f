package main

import (
	"fmt"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// delivering declares the lanes, one for each channel and type, each on a pool
// of its own: a channel whose provider is down keeps its own workers busy and
// fills its own queue.
func delivering() fx.Option {
	var options []fx.Option
	for _, channel := range channels {
		for _, kind := range types {
			options = append(options, lane(laneName(channel, kind)))
		}
	}
	return fx.Options(append(options, fx.Provide(newClient, newLanes, newDelivery))...)
}

func lane(name string) fx.Option {
	tag := fmt.Sprintf("name:%q", name)
	return fx.Options(
		poolmodule.Provide(name, pool.Config{Workers: 2, Queue: 4096}),
		poolmodule.Lane[Task](name, name, newHandler, poolmodule.Named(),
			poolmodule.LaneOptions(pool.WithID(Task.id), pool.WithLabel(Task.receiver)),
			poolmodule.Configure(pool.LaneConfig{
				Journal: journal.Always,
				Timeout: callTimeout + 2*time.Second, // what is given up after a call is written down
				Retry:   pool.Retry{MaxAttempts: tries, InitialDelay: 100 * time.Millisecond, MaxDelay: 5 * time.Second},
			}),
			poolmodule.ResultWith(newGivenUp)),
		// Into the group of which newLanes makes its map.
		fx.Provide(fx.Annotate(func(l *pool.Lane[Task]) *pool.Lane[Task] { return l },
			fx.ParamTags(tag), fx.ResultTags(`group:"lanes"`))),
	)
}

// Lanes are all lanes by name.
type Lanes map[string]*pool.Lane[Task]

type lanesIn struct {
	fx.In

	All []*pool.Lane[Task] `group:"lanes"`
}

func newLanes(in lanesIn) Lanes {
	lanes := Lanes{}
	for _, l := range in.All {
		lanes[l.Name()] = l
	}
	return lanes
}

func newHandler(d *delivery) pool.Handler[Task] { return d.send }
