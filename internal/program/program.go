// Package program finds the programs of others that tests run beside ours: a
// Prometheus, a browser.
//
// Who runs the tests need not have them: then the test is skipped and says so.
// Where [Required] is set, as .ci/run sets it, a program that is missing fails
// the test, so that nothing goes unproven in silence.
package program

import (
	"os"
	"os/exec"
	"testing"
)

// Required is the environment variable that says that every program must be
// there. Any value but the empty one does.
const Required = "NOTHING_SKIPPED"

// Find returns the path of a program, given the package of Debian it is in. It
// skips the test when there is none, or fails it where [Required] is set.
func Find(tb testing.TB, name, debian string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv(Required) != "":
		tb.Fatalf("%s is not there, and %s says that it must be: apt-get install %s", name, Required, debian)
	default:
		tb.Skipf("NOT PROVEN: %s is not there; apt-get install %s", name, debian)
	}
	return ""
}
