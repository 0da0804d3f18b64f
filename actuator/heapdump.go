package actuator

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"runtime/pprof"
)

const octets = "application/octet-stream"

func (a *Actuator) heapEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: "heapdump", Method: http.MethodGet, Path: "/heapdump", OffByDefault: true, Media: []string{octets},
		Query:   map[string]string{"live": "`true` collects garbage first, which stops the program for a moment"},
		Summary: "Where the memory was asked for that is in use, for `go tool pprof`: places in the code, nothing of what is in the memory.",
	}, a.heapdump}}
}

// heapdump answers with a profile of the heap. One is made at a time.
func (a *Actuator) heapdump(w http.ResponseWriter, r *http.Request) error {
	live, err := flagOf(r, "live")
	if err != nil {
		return err
	}
	a.heap.Lock()
	defer a.heap.Unlock()
	if live {
		runtime.GC()
	}
	var profile bytes.Buffer
	if err := pprof.Lookup("heap").WriteTo(&profile, 0); err != nil {
		return fmt.Errorf("the profile of the heap: %w", err)
	}
	w.Header().Set("Content-Disposition", `attachment; filename="heapdump.pprof"`)
	send(w, http.StatusOK, octets, profile.Bytes())
	return nil
}
