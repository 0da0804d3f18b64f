package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"sync"
)

//go:embed assets
var embedded embed.FS

const (
	assetsDir = "assets"
	pageFile  = "page.html"
)

// mediaTypes are those of the files there are, whatever the machine's own table
// says.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// file is one file as it goes out.
type file struct {
	media   string
	tag     string // its ETag
	plain   []byte
	gzipped []byte
}

// packed are all files but the page, by name. They are the same for every
// dashboard of the process.
var packed = sync.OnceValues(func() (map[string]file, error) {
	entries, err := fs.ReadDir(embedded, assetsDir)
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	for _, e := range entries {
		if e.Name() == pageFile {
			continue
		}
		content, err := embedded.ReadFile(assetsDir + "/" + e.Name())
		if err != nil {
			return nil, err
		}
		if files[e.Name()], err = pack(e.Name(), content); err != nil {
			return nil, err
		}
	}
	return files, nil
})

func pack(name string, content []byte) (file, error) {
	media, ok := mediaTypes[path.Ext(name)]
	if !ok {
		return file{}, fmt.Errorf("%s: nobody has said what %q files are; add it to mediaTypes", name, path.Ext(name))
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return file{}, err
	}
	if _, err := w.Write(content); err != nil {
		return file{}, err
	}
	if err := w.Close(); err != nil {
		return file{}, err
	}
	sum := sha256.Sum256(content)
	// Weak: it is that of the content, compressed or not.
	return file{media, `W/"` + hex.EncodeToString(sum[:8]) + `"`, content, b.Bytes()}, nil
}
