package control

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// Client asks the service that holds a journal directory. Make one with [Dial];
// all methods are safe for concurrent use.
type Client struct {
	*deadletter.Client
	http *http.Client
}

const host = "http://" + SocketName // the socket alone says who answers

// Dial returns a client of the service that holds a journal directory. Nothing
// is connected yet. Close it in the end.
func Dial(dir string) *Client {
	path := filepath.Join(dir, SocketName)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
		err = reach(path, func(short string) (err error) {
			conn, err = new(net.Dialer).DialContext(ctx, "unix", short)
			return err
		})
		return conn, err
	}}
	c := &http.Client{Transport: transport}
	return &Client{deadletter.NewClient(c, host), c}
}

// Inspect looks at the journals of the service: all, or those that are named.
func (c *Client) Inspect(ctx context.Context, names ...string) (found []filejournal.Inspection, err error) {
	body, err := c.get(ctx, "/journals", url.Values{"name": names})
	if err != nil {
		return nil, err
	}
	defer body.Close() //nolint:errcheck // all was read, or it is cut
	if err := json.NewDecoder(body).Decode(&found); err != nil {
		return nil, fmt.Errorf("control: the answer of the service: %w", err)
	}
	return found, nil
}

// Export writes the entries of a journal of the service to w.
func (c *Client) Export(ctx context.Context, w io.Writer, format deadletter.Format, name string) error {
	body, err := c.get(ctx, "/journals/entries", url.Values{"name": {name}, "format": {string(format)}})
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // as above
	if _, err := io.Copy(w, body); err != nil {
		return fmt.Errorf("control: the answer of the service broke off: %w", err)
	}
	return nil
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) get(ctx context.Context, path string, q url.Values) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, host+path+"?"+q.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close() //nolint:errcheck // it says no more
	var said struct{ Error string }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&said); err != nil || said.Error == "" {
		said.Error = "it says no more"
	}
	return nil, fmt.Errorf("control: the service refuses: %s: %s", resp.Status, said.Error)
}
