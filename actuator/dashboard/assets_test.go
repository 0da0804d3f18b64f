package dashboard_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mostBytes is what a browser loads at most, compressed.
const mostBytes = 80 << 10

// assets are the files, by name.
func assets(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("assets/*")
	require.NoError(t, err)
	files := map[string]string{}
	for _, p := range paths {
		content, err := os.ReadFile(p)
		require.NoError(t, err)
		files[filepath.Base(p)] = string(content)
	}
	require.Contains(t, files, "page.html")
	return files
}

func TestAssets(t *testing.T) {
	t.Parallel()

	t.Run("AreSmall", func(t *testing.T) {
		t.Parallel()
		total := 0
		for name, content := range assets(t) {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, err := w.Write([]byte(content))
			require.NoError(t, err)
			require.NoError(t, w.Close())
			t.Logf("%-16s %6d bytes, compressed %5d", name, len(content), b.Len())
			total += b.Len()
		}
		t.Logf("together compressed: %d bytes", total)
		assert.LessOrEqual(t, total, mostBytes)
	})

	t.Run("EveryFileThatIsNamedIsThereAndEveryFileIsNamed", func(t *testing.T) {
		t.Parallel()
		files := assets(t)
		named := map[string]bool{"page.html": true}
		inPage := regexp.MustCompile(`(?:href|src)="assets/([^"]+)"`)
		for _, m := range inPage.FindAllStringSubmatch(files["page.html"], -1) {
			named[m[1]] = true
		}
		imports := regexp.MustCompile(`(?m)(?:^\s*import|\bfrom|\bimport\()\s*["']([^"']+)["']`)
		for name, content := range files {
			if !strings.HasSuffix(name, ".js") {
				continue
			}
			for _, m := range imports.FindAllStringSubmatch(content, -1) {
				file, local := strings.CutPrefix(m[1], "./")
				assert.True(t, local, "%s imports %q, which is no file beside it", name, m[1])
				named[file] = true
			}
		}
		inStyle := regexp.MustCompile(`url\(\s*["']?([^"')]+)`)
		for _, m := range inStyle.FindAllStringSubmatch(files["style.css"], -1) {
			if !strings.HasPrefix(m[1], "#") {
				named[strings.TrimPrefix(m[1], "./")] = true
			}
		}
		for name := range named {
			assert.Contains(t, files, name, "it is named and not there")
		}
		for name := range files {
			assert.True(t, named[name], "%s is there and nobody names it", name)
		}
	})

	t.Run("NothingIsAskedOfOthers", func(t *testing.T) {
		t.Parallel()
		elsewhere := regexp.MustCompile(`(?i)\b(?:https?|wss?|ftp)://[^\s"'` + "`" + `)]*|["'(]//[a-z0-9]`)
		for name, content := range assets(t) {
			for _, url := range elsewhere.FindAllString(content, -1) {
				// What SVG is called is a name, which nobody asks for.
				assert.Equal(t, "http://www.w3.org/2000/svg", url, "%s names another origin", name)
			}
		}
	})

	t.Run("NothingNeedsMoreThanThePolicyAllows", func(t *testing.T) {
		t.Parallel()
		files := assets(t)
		inline := regexp.MustCompile(`(?i)<style|\bstyle=|\son[a-z]+=|<script(?:\s[^>]*)?>\s*[^<\s]|javascript:`)
		assert.Empty(t, inline.FindAllString(files["page.html"], -1))
		code := regexp.MustCompile(`\beval\(|new Function\(|document\.write\(|\.innerHTML\s*\+?=|\.outerHTML\s*=|insertAdjacentHTML|setAttribute\(\s*["'](?:style|on)`)
		for name, content := range files {
			if strings.HasSuffix(name, ".js") {
				assert.Empty(t, code.FindAllString(content, -1), name)
			}
		}
	})
}
