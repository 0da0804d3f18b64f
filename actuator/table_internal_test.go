package actuator

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write ENDPOINTS.md anew")

const tableFile = "ENDPOINTS.md"

const tableHead = `# Endpoints of the actuator

Generated from the code by ` + "`go test ./actuator -run TestTableIsUpToDate -update`" + `. Paths are those of the default base path.

`

func TestTableIsUpToDate(t *testing.T) {
	a := &Actuator{cfg: Config{}.WithDefaults()}
	want := tableHead + a.table()
	if *update {
		require.NoError(t, os.WriteFile(tableFile, []byte(want), 0o600))
	}
	is, err := os.ReadFile(tableFile)
	require.NoError(t, err)
	assert.Equal(t, want, string(is), "the table is old: go test ./actuator -run TestTableIsUpToDate -update")
}

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
