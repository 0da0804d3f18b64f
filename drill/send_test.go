package drill_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

func TestSend(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch code, _ := strconv.Atoi(r.FormValue("code")); code {
		case 0: // no answer
			panic(http.ErrAbortHandler)
		case 1: // half an answer
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("accept"))
		case 2: // a reset
			conn, _, err := http.NewResponseController(w).Hijack()
			if assert.NoError(t, err) {
				assert.NoError(t, conn.(*net.TCPConn).SetLinger(0))
				assert.NoError(t, conn.Close())
			}
		default:
			w.WriteHeader(code)
		}
	}))
	t.Cleanup(server.Close)
	client := server.Client()
	send := func(url string) drill.Answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
		require.NoError(t, err)
		return drill.Send(client, req)
	}
	for _, tt := range []struct {
		give int
		want drill.Answer
	}{
		{200, drill.Accepted}, {202, drill.Accepted}, {1, drill.Accepted},
		{400, drill.Refused}, {429, drill.Refused}, {503, drill.Refused},
		{304, drill.Unknown}, {500, drill.Unknown}, {502, drill.Unknown}, {504, drill.Unknown}, {0, drill.Unknown}, {2, drill.Unknown},
	} {
		assert.Equal(t, tt.want, send(server.URL+"/?code="+strconv.Itoa(tt.give)), tt.give)
	}

	assert.Equal(t, drill.Refused, send("http://127.0.0.1:1"), "nobody listens there")
}
