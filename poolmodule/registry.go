package poolmodule

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// Registry finds the pools of an application by name: those that were built,
// which are those that somebody asked for. It is safe for concurrent use.
type Registry struct {
	mu    sync.Mutex
	pools map[string]*pool.Pool
}

// NewRegistry returns an empty registry. Provide it, or give [Module], and
// every pool registers itself as it is built.
func NewRegistry() *Registry { return &Registry{pools: make(map[string]*pool.Pool)} }

func (r *Registry) add(p *pool.Pool) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pools[p.Name()] = p
}

// Get returns the pool of that name, or an error that says which there are.
func (r *Registry) Get(name string) (*pool.Pool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.pools[name]
	if !ok {
		return nil, fmt.Errorf("there is no pool %q; there are: %s", name, listed(r.pools))
	}
	return p, nil
}

// Names are the names of all pools that were built, sorted.
func (r *Registry) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.pools))
}

// Resize changes the bounds of one pool; see [pool.Pool.Resize].
func (r *Registry) Resize(name string, limits pool.Limits) error {
	p, err := r.Get(name)
	if err != nil {
		return err
	}
	return p.Resize(limits)
}
