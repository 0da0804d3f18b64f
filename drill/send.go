package drill

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// patient is the client of Send: it keeps a connection for each of many
// generators.
var patient = &http.Client{
	Transport: &http.Transport{MaxIdleConnsPerHost: 1024, IdleConnTimeout: 5 * time.Second},
}

// Send sends a request and reads the answer as [Load].Offer must:
//
//	2xx, and its body broke or not        Accepted
//	4xx, 503, no connection was made      Refused
//	all else                              Unknown
//
// A nil client is one that keeps connections alive. It must not send the
// request twice by itself: http.Client does so for GET and HEAD, and for a
// request with an Idempotency-Key, and then the sink may see the id twice.
func Send(client *http.Client, req *http.Request) Answer {
	if client == nil {
		client = patient
	}
	resp, err := client.Do(req)
	if err != nil {
		if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" {
			return Refused
		}
		return Unknown
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be used again
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return Accepted
	case code/100 == 4, code == http.StatusServiceUnavailable:
		return Refused
	default:
		return Unknown
	}
}
