package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/lastcall-go/lastcall"

// pkg is what go list says of a package, tests left out.
type pkg struct {
	ImportPath string
	Imports    []string // direct
	Deps       []string // direct or not
}

// TestPicture holds the repository against the picture.
func TestPicture(t *testing.T) {
	t.Parallel()
	pkgs := list(t)
	require.NotEmpty(t, pkgs)
	for _, offence := range offences(pkgs) {
		t.Error(offence)
	}
}

// TestOffencesAreFound shows that the picture can be offended, and how it
// says so.
func TestOffencesAreFound(t *testing.T) {
	t.Parallel()
	ours := func(rooms ...string) []string {
		for i := range rooms {
			rooms[i] = module + "/" + rooms[i]
		}
		return rooms
	}
	tests := []struct {
		name string
		give pkg
		want []string
	}{
		{"AllowedArrow", pkg{ImportPath: module + "/poolmodule", Imports: append(ours("lifecycle", "poolmodule/pool"), "fmt")}, nil},
		{"AllowedArrowOfAFamily", pkg{ImportPath: module + "/examples/quickstart/csv", Imports: ours("app", "poolmodule")}, nil},
		{"ArrowUpwards", pkg{ImportPath: module + "/lifecycle", Imports: ours("app")}, []string{
			"lifecycle must not import app: components depend on it, so it can depend on none of them",
		}},
		{"ArrowSideways", pkg{ImportPath: module + "/poolmodule", Imports: ours("batchmodule/batch")}, []string{
			"poolmodule must not import batchmodule/batch: glue joins its own core and the lifecycle; its Config comes from the graph, whoever put it there",
		}},
		{"SetOverTheFrontDoor", pkg{ImportPath: module + "/modules", Imports: ours("app")}, []string{
			"modules must not import app: the set is for any application; the front door stands beside it, not below",
		}},
		{"ArrowIntoTheExamples", pkg{ImportPath: module + "/app", Imports: ours("examples/quickstart")}, []string{
			"app must not import examples/quickstart: it runs any Fx application, ours or not; the standard set is in modules",
		}},
		{"UnknownRoom", pkg{ImportPath: module + "/util"}, []string{
			"util is in no picture: draw it in internal/archtest/picture_test.go, or put its code where it is used",
		}},
		{"FxInACore", pkg{ImportPath: module + "/poolmodule/pool", Deps: []string{"fmt", "go.uber.org/fx/fxevent"}}, []string{
			"poolmodule/pool must not depend on go.uber.org/fx/fxevent: the cores are plain Go: they are tested without a container and used without Fx",
		}},
		{"NameThatOnlyBeginsLikeABan", pkg{ImportPath: module + "/config", Deps: []string{"go.uber.org/fxtras"}}, nil},
		{"TestLibraryInAProgram", pkg{ImportPath: module + "/app", Deps: []string{"github.com/stretchr/testify/assert"}}, []string{
			"app must not depend on github.com/stretchr/testify/assert: test libraries have no place in a user's program",
		}},
		{"TestLibraryInATestRoom", pkg{ImportPath: module + "/lifecycle/lifecycletest", Deps: []string{"go.uber.org/goleak"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, offences([]pkg{tt.give}))
		})
	}
}

// TestPictureIsWhole catches typing errors in the picture itself.
func TestPictureIsWhole(t *testing.T) {
	t.Parallel()
	rooms := map[string]bool{}
	for _, r := range picture {
		assert.False(t, rooms[r.path], "%s is drawn twice", r.path)
		assert.NotEmpty(t, r.why, "%s has no reason", r.path)
		rooms[r.path] = true
	}
	for _, r := range picture {
		for _, to := range r.may {
			assert.True(t, rooms[to], "%s may import %s, which is not drawn", r.path, to)
		}
	}
	for _, b := range bans {
		for _, name := range join(b.rooms, b.except) {
			assert.True(t, rooms[name], "the ban of %s names %s, which is not drawn", b.path, name)
		}
	}
}

// offences is everything in which the packages differ from the picture.
func offences(pkgs []pkg) []string {
	var found []string
	for _, p := range pkgs {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		i := slices.IndexFunc(picture, func(r room) bool { return r.has(name) })
		if i < 0 {
			found = append(found, name+" is in no picture: draw it in internal/archtest/picture_test.go, or put its code where it is used")
			continue
		}
		found = append(found, picture[i].offences(name, p.Imports)...)
		for _, b := range bans {
			found = append(found, b.offences(picture[i].path, p.Deps)...)
		}
	}
	return found
}

// has reports whether a package is the room, or of its family.
func (r room) has(name string) bool {
	family, ok := strings.CutSuffix(r.path, "/*")
	return name == r.path || ok && strings.HasPrefix(name, family+"/")
}

func (r room) offences(name string, imports []string) []string {
	var found []string
	for _, path := range imports {
		to, ours := strings.CutPrefix(path, module+"/")
		if !ours || slices.Contains(r.may, to) || r.path != name && r.has(to) {
			continue
		}
		found = append(found, fmt.Sprintf("%s must not import %s: %s", name, to, r.why))
	}
	return found
}

func (b ban) offences(name string, deps []string) []string {
	if len(b.rooms) > 0 && !slices.Contains(b.rooms, name) || slices.Contains(b.except, name) {
		return nil
	}
	for _, dep := range deps {
		if dep == b.path || strings.HasPrefix(dep, b.path+"/") {
			return []string{fmt.Sprintf("%s must not depend on %s: %s", name, dep, b.why)}
		}
	}
	return nil
}

// list asks the go command for the packages of the module.
func list(t *testing.T) []pkg {
	t.Helper()
	root := filepath.Join("..", "..")
	touch(t, root)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)

	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			require.NoError(t, err)
		}
		pkgs = append(pkgs, p)
	}
}

// touch looks at every file that go list will read. The go command remembers
// the result of a test by what the test itself has looked at, not what its
// children have; without this a new arrow would not be seen until the cache
// is cleared.
func touch(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != root {
			return fs.SkipDir
		}
		if path.Ext(d.Name()) == ".go" || d.Name() == "go.mod" {
			_, err = os.Stat(name)
		}
		return err
	})
	require.NoError(t, err)
}
