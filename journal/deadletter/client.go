package deadletter

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/lastcall-go/lastcall/journal"
)

// Client is the box of a running service, at the other end of a [Handler]. Make
// one with [NewClient]; all methods are safe for concurrent use.
type Client struct {
	http *http.Client
	base string
}

// NewClient returns a client of the handler that is mounted at base:
// "http://localhost:8081/admin". c may be nil, for [http.DefaultClient].
func NewClient(c *http.Client, base string) *Client {
	return &Client{http: cmp.Or(c, http.DefaultClient), base: base}
}

// All yields the letters that the filter chooses, the oldest first.
func (c *Client) All(ctx context.Context, f Filter) iter.Seq2[journal.DeadLetter, error] {
	return func(yield func(journal.DeadLetter, error) bool) {
		body, err := c.do(ctx, http.MethodGet, "/deadletters", f.Query(), nil)
		if err != nil {
			yield(journal.DeadLetter{}, err)
			return
		}
		defer body.Close() //nolint:errcheck // all was read, or the caller has had enough
		err = importJSONL(body, func(*record, []byte) error { return nil }, func(row Row, err error) bool {
			if err != nil {
				err = fmt.Errorf("deadletter: the answer of the service: %w", err)
			}
			return yield(row.Letter, err) && err == nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(journal.DeadLetter{}, fmt.Errorf("deadletter: the answer of the service: %w", err))
		}
	}
}

// Redrive is the function [Redrive] in the service.
func (c *Client) Redrive(ctx context.Context, o Options) (Summary, error) {
	return c.work(ctx, "redrive", o, o.Filter.Query(), nil)
}

// Drop is the function [Drop] in the service.
func (c *Client) Drop(ctx context.Context, o Options) (Summary, error) {
	return c.work(ctx, "drop", o, o.Filter.Query(), nil)
}

// SendBack is the function [SendBack] in the service, with the rows of a file,
// which stays the caller's to close.
func (c *Client) SendBack(ctx context.Context, file io.Reader, format Format, o Options) (Summary, error) {
	q := o.Filter.Query()
	q.Set("format", string(format))
	return c.work(ctx, "import", o, q, io.NopCloser(file))
}

func (c *Client) work(ctx context.Context, verb string, o Options, q url.Values, body io.Reader) (Summary, error) {
	if o.Filter.IsZero() {
		q.Set("all", "true")
	}
	q.Set("dry_run", strconv.FormatBool(o.DryRun))
	q.Set("missing", strconv.FormatBool(o.Missing))
	answer, err := c.do(ctx, http.MethodPost, "/deadletters/"+verb, q, body)
	if err != nil {
		return Summary{DryRun: o.DryRun}, err
	}
	defer answer.Close() //nolint:errcheck // its last line was read, or it is cut
	for lines := json.NewDecoder(bufio.NewReader(answer)); ; {
		var e event
		switch err := lines.Decode(&e); {
		case err != nil:
			return Summary{DryRun: o.DryRun}, fmt.Errorf("deadletter: the service was cut off before it said what came of it: %w", err)
		case e.Summary != nil && e.Error != "":
			return *e.Summary, errors.New(e.Error)
		case e.Summary != nil:
			return *e.Summary, nil
		case o.Progress != nil:
			o.Progress(e.N)
		}
	}
}

// do sends a request, and makes an answer that refuses it an error.
func (c *Client) do(ctx context.Context, method, path string, q url.Values, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path+"?"+q.Encode(), body)
	if err != nil {
		return nil, fmt.Errorf("deadletter: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("deadletter: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close() //nolint:errcheck // it says no more
	var e event
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&e); err != nil || e.Error == "" {
		e.Error = "it says no more"
	}
	return nil, fmt.Errorf("deadletter: the service refuses: %s: %s", resp.Status, e.Error)
}
