package server_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/httpmodule/server"
)

// nobody takes a reply and throws it away.
type nobody struct{ header http.Header }

func (n nobody) Header() http.Header             { return n.header }
func (nobody) Write(p []byte) (int, error)       { return len(p), nil }
func (nobody) WriteString(s string) (int, error) { return len(s), nil }
func (nobody) WriteHeader(int)                   {}

// BenchmarkRequest is what a request costs between net/http and the handler.
// Row j of the module bench has the whole way, beside net/http alone.
func BenchmarkRequest(b *testing.B) {
	s, err := server.New(server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	require.NoError(b, err)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
	require.NoError(b, err)
	w := nobody{make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		s.ServeHTTP(w, r)
	}
}
