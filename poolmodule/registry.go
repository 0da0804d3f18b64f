package poolmodule

import (
	"fmt"
	"slices"
	"sync"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// Registry finds the pools of an application by name: those that were built,
// which are those that somebody asked for. It is safe for concurrent use.
type Registry struct {
	mu    sync.Mutex
	pools map[string]*pool.Pool // nil: declared, and not built
}

// NewRegistry returns a registry that knows which pools are declared. Provide
// it, or give [Module], and every pool registers itself as it is built.
func NewRegistry(d Declarations) *Registry {
	r := &Registry{pools: make(map[string]*pool.Pool, len(d.Pools))}
	for _, declared := range d.Pools {
		r.pools[declared.Name] = nil
	}
	return r
}

func (r *Registry) add(p *pool.Pool) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pools[p.Name()] = p
}

// Get returns the pool of that name. The error says which pools there are, or
// that this one is declared and nobody has asked for it.
func (r *Registry) Get(name string) (*pool.Pool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.pools[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no pool %q; declared are: %s", name, listed(r.pools))
	case p == nil:
		return nil, fmt.Errorf("pool %q is declared, but nobody takes it, so it was not built; "+
			"take a *pool.Pool tagged name:%q, or a lane into it", name, name)
	}
	return p, nil
}

// Names are the names of all pools that were built, sorted.
func (r *Registry) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for name, p := range r.pools {
		if p != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Resize changes the bounds of one pool; see [pool.Pool.Resize].
func (r *Registry) Resize(name string, limits pool.Limits) error {
	p, err := r.Get(name)
	if err != nil {
		return err
	}
	return p.Resize(limits)
}
