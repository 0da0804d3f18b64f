package browsertest

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the screenshots anew")

// TestMain is the service, too: the tests start this binary again.
func TestMain(m *testing.M) {
	if text := os.Getenv(envShop); text != "" {
		runShop(text) // does not return
	}
	flag.Parse()
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}
