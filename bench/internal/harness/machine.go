package harness

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
)

// Machine writes what the numbers were measured on, as Markdown: the
// processor, the system, Go, and the version of every module that is named.
func Machine(w io.Writer, modules ...string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "- %s, %d cores used\n", processor(), runtime.GOMAXPROCS(0))
	if h, err := host.Info(); err == nil {
		fmt.Fprintf(&b, "- %s %s, kernel %s\n", h.Platform, h.PlatformVersion, h.KernelVersion)
	}
	fmt.Fprintf(&b, "- %s, %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, m := range modules {
		fmt.Fprintf(&b, "- %s %s\n", m, version(m))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func processor() string {
	if infos, err := cpu.Info(); err == nil && len(infos) > 0 && infos[0].ModelName != "" {
		return infos[0].ModelName
	}
	return "unknown processor"
}

// version is that of a module in this program.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown: built without modules)"
	}
	for _, d := range info.Deps {
		if d.Path == module {
			return d.Version
		}
	}
	return "(not in this program)"
}
