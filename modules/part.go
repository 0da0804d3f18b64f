package modules

import (
	"fmt"
	"reflect"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule"
)

// aboutPart is what is known of a part, whatever the application.
type aboutPart struct {
	name string
	// types are those that it puts into the graph, by which a program has it its
	// own way.
	types []string
	// kinds are those of its components. idle says why there may be none; empty:
	// it is there without any.
	kinds []string
	idle  string
}

// parts are all parts, by their numbers.
var parts = [...]aboutPart{
	Config:   {name: "Config", types: []string{named[*config.Values](), named[sources]()}},
	Logging:  {name: "Logging", types: []string{named[*zap.Logger](), named[zap.AtomicLevel](), named[Log]()}, kinds: []string{"log"}},
	Stopping: {name: "Stopping", types: []string{named[lifecycle.Config]()}},
	Journal: {
		name: "Journal", types: []string{named[filejournal.Config](), named[journal.Opener](), named[*journal.DeadLetters]()}, kinds: []string{"journal", "deadletter"},
		idle: "nobody has asked for a journal or for the dead letters, so no directory is opened",
	},
	HTTP: {
		name: "HTTP", types: []string{named[server.Config](), named[*server.Server]()}, kinds: []string{"server"},
		idle: "there is neither a route nor a handler in the graph, so no port is opened",
	},
	Pools: {
		name: "Pools", types: []string{named[poolmodule.Config](), named[*poolmodule.Registry]()}, kinds: []string{"pool", "lane"},
		idle: "no pool is declared, or nobody asks for one (poolmodule.Provide)",
	},
	Batchers: {
		name: "Batchers", types: []string{named[batchmodule.Config]()}, kinds: []string{"batcher"},
		idle: "no batcher is declared, or nobody asks for one (batchmodule.Provide)",
	},
	Management: {name: "Management", types: []string{named[ManagementConfig](), named[*actuator.Actuator](), named[*management.Server]()}},
	Alarms:     {name: "Alarms", types: []string{named[AlarmConfig](), named[*alarm.Watch]()}, kinds: []string{"notifier"}, idle: "they are switched off"},
}

// String is the name of the part: "HTTP".
func (p Part) String() string {
	if p < 0 || int(p) >= len(parts) {
		return fmt.Sprintf("Part(%d)", int(p))
	}
	return parts[p].name
}

// named is what Fx calls a type.
func named[T any]() string { return reflect.TypeFor[T]().String() }
