package archtest

// room is a directory with Go files in it, or a family of them.
type room struct {
	path string   // under the module; "examples/*" is every directory below examples
	may  []string // the rooms it may import
	why  string   // what it is for its users, and so why nothing else
}

// The families of arrows.
var (
	cores   = []string{"httpmodule/server", "poolmodule/pool", "batchmodule/batch"}
	glue    = []string{"httpmodule", "poolmodule", "batchmodule"}
	grounds = []string{"lifecycle", "intake", "config"}
)

// picture lists every room. One that does not exist yet is no error; one that
// is not listed is.
var picture = []room{
	{"intake", nil, "everything stands on it"},
	{"config", nil, "it is of use without anything else of ours"},
	{"journal", nil, "another store may stand behind it without knowing us"},
	{"journal/filejournal", []string{"journal"}, "it is one store of several"},
	{"journal/deadletter", []string{"journal"}, "it works on a box, whichever store keeps it"},
	{"journal/control", []string{"journal", "journal/filejournal", "journal/deadletter"}, "it gives the journals of a directory to those who may not touch it"},
	{"journal/journaltest", []string{"journal"}, "stores outside this repository run it"},
	{"journal/protocodec", []string{"journal"}, "who does not use protobuf does not pay for it"},

	{"lifecycle", []string{"intake", "internal/secret", "internal/secretlog"}, "components depend on it, so it can depend on none of them"},
	{"lifecycle/lifecycletest", []string{"lifecycle", "intake"}, "tests of any component import it"},

	{"httpmodule/server", []string{"intake"}, "server is plain Go: users without Fx import it"},
	{"poolmodule/pool", []string{"intake", "journal"}, "pool is plain Go: users without Fx import it"},
	{"batchmodule/batch", []string{"intake", "journal"}, "batch is plain Go: users without Fx import it"},

	{"httpmodule", []string{"lifecycle", "httpmodule/server"}, "glue joins its own core and the lifecycle; its Config comes from the graph, whoever put it there"},
	{"poolmodule", []string{"lifecycle", "journal", "poolmodule/pool"}, "glue joins its own core and the lifecycle; its Config comes from the graph, whoever put it there"},
	{"batchmodule", []string{"lifecycle", "journal", "batchmodule/batch"}, "glue joins its own core and the lifecycle; its Config comes from the graph, whoever put it there"},

	{"actuator", []string{"lifecycle", "intake", "internal/secret"}, "it shows what the lifecycle knows, of components of any kind"},
	{"actuator/alarm", []string{"lifecycle", "intake", "internal/secret"}, "it watches what the lifecycle knows, of components of any kind, and whoever logs is told as any receiver is"},
	{"actuator/management", nil, "it guards any handler, ours or not; what it serves is for the glue to say"},
	{"actuator/dashboard", nil, "its page knows the actuator by its answers alone, so that it shows any"},
	{"app", []string{"lifecycle", "internal/secret", "internal/secretlog"}, "it runs any Fx application, ours or not; the standard set is in modules"},
	{"modules", join(glue, cores, grounds, []string{"journal", "journal/filejournal", "journal/deadletter", "journal/control", "actuator", "actuator/alarm", "actuator/management", "actuator/dashboard", "internal/secretlog"}), "the set is for any application; the front door stands beside it, not below"},

	{"drill", nil, "it kills programs from outside and must not be built from what it tests"},
	{"cmd/lastcall", []string{"journal", "journal/filejournal", "journal/deadletter", "journal/control"}, "it reads journals; it starts nothing"},
	{"examples/*", join([]string{"app", "modules"}, glue, cores, grounds, []string{"journal", "journal/filejournal"}), "examples use what users use: they say when work is written down, and where"},
	{module, nil, "it says where to begin, and is imported by nobody"},
	{"internal/archtest", nil, "it looks at the others from outside"},
	{"internal/secret", nil, "what a secret looks like is known in one place, and that knows nothing else"},
	{"internal/secretlog", []string{"internal/secret"}, "it is for any zap logger"},
	{"internal/openapitest", nil, "it reads a document as any client does, and knows nobody who wrote it"},
	{"internal/program", nil, "it finds the programs that tests run beside ours"},
	{"internal/crashtest", nil, "only its tests do anything; they are a service like any other"},
}

// ban keeps a dependency, direct or not, out of rooms.
type ban struct {
	path   string   // an import path, with everything below it
	rooms  []string // where it is banned; empty: everywhere
	except []string // rooms that may all the same
	why    string
}

var bans = []ban{
	{
		path:  "go.uber.org/fx",
		rooms: join(cores, []string{"intake", "config", "journal", "journal/filejournal", "journal/deadletter", "journal/control", "actuator/management", "actuator/dashboard"}),
		why:   "the cores are plain Go: they are tested without a container and used without Fx",
	},
	{
		path:  "go.uber.org/zap",
		rooms: join(cores, []string{"intake", "config", "journal", "journal/filejournal", "journal/deadletter", "journal/control", "actuator/management", "actuator/dashboard"}),
		why:   "the cores tell an observer what happens; which logger hears of it is the user's choice",
	},
	{
		path:  "github.com/knadh/koanf",
		rooms: join(cores, glue, []string{"intake", "lifecycle", "app", "actuator", "actuator/alarm", "actuator/management"}),
		why:   "configuration is read in one room and handed on as values",
	},
	{
		path: "github.com/knadh/koanf/providers/file",
		why:  "its Watch ends with the file that it watches; config has a watcher of its own",
	},
	{
		path: "github.com/fsnotify/fsnotify", except: []string{"config", "modules", "examples/*"},
		why: "files are watched in one room",
	},
	{
		// The metrics of client_golang are protobuf messages.
		path: "google.golang.org/protobuf", except: []string{"journal/protocodec", "actuator", "modules", "examples/*"},
		why: "who does not use protobuf does not pay for it",
	},
	{
		path: "net/http/pprof",
		why:  "it adds itself to http.DefaultServeMux, and so to the port of whoever serves that; profiles are for the management server",
	},
	{
		path: "github.com/prometheus", except: []string{"actuator", "modules", "examples/*"},
		why: "metrics are read from snapshots in one room; hot paths call no library",
	},
	{
		path: "github.com/google/jsonschema-go", except: []string{"actuator", "modules", "examples/*", "internal/openapitest"},
		why: "what answers look like is described in one room; the others are described by it",
	},
	{path: "github.com/stretchr/testify", except: testRooms, why: testsOnly},
	{path: "go.uber.org/goleak", except: testRooms, why: testsOnly},
	{path: "pgregory.net/rapid", except: testRooms, why: testsOnly},
}

var testRooms = []string{"lifecycle/lifecycletest", "journal/journaltest", "internal/openapitest"}

const testsOnly = "test libraries have no place in a user's program"

func join(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
