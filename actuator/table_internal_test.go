package actuator

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEveryEndpointIsDescribed(t *testing.T) {
	a := &Actuator{cfg: Config{}.WithDefaults()}
	seen := map[string]bool{}
	for _, e := range a.all() {
		key := e.Method + " " + a.pattern(e.Endpoint)
		assert.False(t, seen[key], "%s is there twice", key)
		seen[key] = true
		assert.NotEmpty(t, e.ID, key)
		assert.True(t, strings.HasSuffix(e.Summary, "."), "%s: the summary is a sentence", key)
		assert.NotNil(t, e.serve, key)
		read := e.Method == "GET" || e.Method == "HEAD"
		assert.Equal(t, !read, e.Write, "%s: who reads changes nothing", key)
		assert.False(t, e.Write && e.Open, "%s: nobody changes anything unasked", key)
	}
}
