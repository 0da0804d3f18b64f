package modules_test

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/modules"
)

var update = flag.Bool("update", false, "write ENDPOINTS.md anew")

const (
	tableFile = "ENDPOINTS.md"
	tableHead = `# Endpoints of the management server

Those of the actuator, and those that the parts of the standard set add to it. Generated from the code by
` + "`go test ./modules -run TestTableIsUpToDate -update`" + `. Paths are those of the default base path.

`
)

// TestTableIsUpToDate: what the standard set answers is what is written of it.
func TestTableIsUpToDate(t *testing.T) {
	t.Parallel()
	var act *actuator.Actuator
	a := app.New(modules.Default(), sources("", nil), silent, fx.Populate(&act))
	require.NoError(t, a.Err())
	want := tableHead + act.Table()
	require.NoError(t, a.Stop(t.Context()))
	if *update {
		require.NoError(t, os.WriteFile(tableFile, []byte(want), 0o600))
	}
	is, err := os.ReadFile(tableFile)
	require.NoError(t, err)
	assert.Equal(t, want, string(is), "the table is old: go test ./modules -run TestTableIsUpToDate -update")
}
