package management

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"time"
)

// ProfilesPath is where [Profiles] is to be served: go tool pprof asks there.
const ProfilesPath = "/debug/pprof/"

const (
	defaultSeconds = 30
	maxSeconds     = 300
)

// Profiles serves what package net/http/pprof does, but for the command line,
// in which there may be secrets, and without adding itself to
// [http.DefaultServeMux] as that does:
//
//	/debug/pprof/                     the names of the profiles
//	/debug/pprof/profile?seconds=30   where the processor's time goes, up to 300 s
//	/debug/pprof/trace?seconds=1      for go tool trace
//	/debug/pprof/NAME                 "heap", "goroutine", …; debug=1: as text,
//	                                  gc=1: after a collection
//
// A profile that takes time ends with the request. A second one beside it is
// refused with 409: the runtime makes one at a time.
func Profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ProfilesPath+"{$}", listProfiles)
	mux.HandleFunc("GET "+ProfilesPath+"profile", func(w http.ResponseWriter, r *http.Request) {
		record(w, r, defaultSeconds, func() error { return pprof.StartCPUProfile(w) }, pprof.StopCPUProfile)
	})
	mux.HandleFunc("GET "+ProfilesPath+"trace", func(w http.ResponseWriter, r *http.Request) {
		record(w, r, 1, func() error { return trace.Start(w) }, trace.Stop)
	})
	mux.HandleFunc("GET "+ProfilesPath+"{name}", lookUp)
	return mux
}

func listProfiles(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	var b strings.Builder
	b.WriteString("profile\ntrace\n")
	for _, p := range pprof.Profiles() {
		fmt.Fprintln(&b, p.Name())
	}
	_, _ = w.Write([]byte(b.String())) // nobody is there to be told
}

// record runs from start to stop for as many seconds as are asked for.
func record(w http.ResponseWriter, r *http.Request, seconds float64, start func() error, stop func()) {
	if s := r.FormValue("seconds"); s != "" {
		var err error
		if seconds, err = strconv.ParseFloat(s, 64); err != nil || !(seconds > 0 && seconds <= maxSeconds) {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("seconds=%q: give a number up to %d", s, maxSeconds))
			return
		}
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := start(); err != nil {
		refuse(w, http.StatusConflict, err.Error())
		return
	}
	defer stop()
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(seconds*float64(time.Second)))
	defer cancel()
	<-ctx.Done()
}

func lookUp(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	p := pprof.Lookup(name)
	if p == nil {
		refuse(w, http.StatusNotFound, fmt.Sprintf("there is no profile %q; %s lists them", name, ProfilesPath))
		return
	}
	debug, err := strconv.Atoi(r.FormValue("debug"))
	if r.FormValue("debug") != "" && err != nil {
		refuse(w, http.StatusBadRequest, "debug: give 0, 1 or 2")
		return
	}
	if name == "heap" && r.FormValue("gc") == "1" {
		runtime.GC()
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if debug > 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	_ = p.WriteTo(w, debug) // nobody is there to be told
}
