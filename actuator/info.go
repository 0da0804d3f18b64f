package actuator

import (
	"maps"
	"net/http"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"time"
)

func (a *Actuator) infoEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: "info", Method: http.MethodGet, Path: "/info", Answer: info{},
		Summary: "What runs: build, revision, Go, system, process, and what the configuration adds.",
	}, a.info}}
}

// info has the shapes of Spring's contributors.
type info struct {
	Build   buildInfo   `json:"build"`
	Git     *gitInfo    `json:"git,omitempty"`
	Go      goInfo      `json:"go"`
	OS      osInfo      `json:"os"`
	Process processInfo `json:"process"`
}

type buildInfo struct {
	Artifact string `json:"artifact"`
	Name     string `json:"name"`
	Version  string `json:"version"`
}

type gitInfo struct {
	Commit gitCommit `json:"commit"`
	// Dirty: it was built from changes that were not committed.
	Dirty bool `json:"dirty"`
}

type gitCommit struct {
	ID   string `json:"id"`
	Time string `json:"time,omitempty"`
}

type goInfo struct {
	Version    string `json:"version"`
	MaxProcs   int    `json:"max_procs"`
	Goroutines int    `json:"goroutines"`
}

type osInfo struct {
	Name string `json:"name"`
	Arch string `json:"arch"`
}

type processInfo struct {
	PID       int       `json:"pid"`
	ParentPID int       `json:"parentPid"`
	CPUs      int       `json:"cpus"`
	Since     time.Time `json:"since"`
	Uptime    string    `json:"uptime"`
}

func (a *Actuator) info(w http.ResponseWriter, r *http.Request) error {
	if len(a.cfg.Info) == 0 {
		return reply(w, r, http.StatusOK, a.ownInfo())
	}
	own := a.ownInfo()
	all := map[string]any{"build": own.Build, "go": own.Go, "os": own.OS, "process": own.Process}
	if own.Git != nil {
		all["git"] = own.Git
	}
	maps.Copy(all, a.cfg.Info) // who configures "build" knows better
	raw, err := a.mask().json(all)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, raw)
}

func (a *Actuator) ownInfo() info {
	own := info{
		Go: goInfo{runtime.Version(), runtime.GOMAXPROCS(0), runtime.NumGoroutine()},
		OS: osInfo{runtime.GOOS, runtime.GOARCH},
		Process: processInfo{
			PID: os.Getpid(), ParentPID: os.Getppid(), CPUs: runtime.NumCPU(),
			Since: a.began, Uptime: time.Since(a.began).Round(time.Millisecond).String(),
		},
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return own
	}
	own.Build = buildInfo{Artifact: build.Path, Name: path.Base(build.Path), Version: build.Main.Version}
	settings := map[string]string{}
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	if id := settings["vcs.revision"]; id != "" {
		own.Git = &gitInfo{gitCommit{id, settings["vcs.time"]}, settings["vcs.modified"] == "true"}
	}
	return own
}
