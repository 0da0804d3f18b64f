package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client talks to a provider. It is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// NewClient returns a client of the provider at this address. It keeps a
// connection for each of that many callers.
func NewClient(base string, callers int) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = callers
	return &Client{base: base, http: &http.Client{Transport: transport}}
}

// ErrRefused is matched by the error of a call that the provider does not
// understand: to send it again is of no use.
var ErrRefused = errors.New("the provider refuses the call")

// Send makes one call and returns what became of each message, in their order.
// With an error nothing is known of any, and the same call may be made again.
func (c *Client) Send(ctx context.Context, key string, call Call) ([]Result, error) {
	body, err := json.Marshal(call)
	if err != nil {
		return nil, err
	}
	var answer Answer
	if err := c.do(ctx, http.MethodPost, "/send", http.Header{"Idempotency-Key": {key}}, body, &answer); err != nil {
		return nil, err
	}
	if len(answer.Results) != len(call.Messages) {
		return nil, fmt.Errorf("the provider answered for %d of %d messages", len(answer.Results), len(call.Messages))
	}
	return answer.Results, nil
}

// Behave tells the provider how to treat the next calls.
func (c *Client) Behave(ctx context.Context, b Behaviour) error {
	return c.do(ctx, http.MethodPut, "/behaviour?"+b.query().Encode(), nil, nil, nil)
}

// Sum is what the provider has counted.
func (c *Client) Sum(ctx context.Context) (Sum, error) {
	var sum Sum
	err := c.do(ctx, http.MethodGet, "/sum", nil, nil, &sum)
	return sum, err
}

// Received is how often which text came to a receiver.
func (c *Client) Received(ctx context.Context, receiver string) (map[string]int, error) {
	var texts map[string]int
	err := c.do(ctx, http.MethodGet, "/received?by="+url.QueryEscape(receiver), nil, nil, &texts)
	return texts, err
}

// Close lets go of the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) do(ctx context.Context, method, path string, header http.Header, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= 500:
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text)))
	case resp.StatusCode >= 400:
		return fmt.Errorf("%w: %s: %s", ErrRefused, resp.Status, strings.TrimSpace(string(text)))
	case into == nil:
		return nil
	}
	return json.Unmarshal(text, into)
}
