package drill

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Program is what is killed: how it is started, how it says that it is ready,
// and what it leaves behind.
//
// It is ready when each of ReadyLine, ReadyURL and Ready that is given says so,
// asked in this order; with none of them, when its process has started.
type Program struct {
	// Path is the executable; without a slash it is searched for in PATH.
	Path string
	Args []string // what follows it
	// Env is added to the environment of the drill, and wins over it.
	Env []string
	// Dir is its working directory. Default: that of the drill.
	Dir string

	// ReadyLine is a text in the first line that the program writes, to its
	// standard output or error, when it is ready. What follows the text in the
	// line is [Child].Line: a program may choose its port and say it here.
	ReadyLine string
	// ReadyURL answers 2xx when the program is ready. It is asked every 2 ms.
	ReadyURL string
	// Ready returns nil when the program is ready. Its context ends when the
	// process does, or after ReadyTimeout.
	Ready func(ctx context.Context, child *Child) error
	// ReadyTimeout is how long a start may take. Default 30 s.
	ReadyTimeout time.Duration

	// Receipt is the file in which the program leaves the receipt of a stop,
	// as a lastcall service does (receipt_file). "": it leaves none.
	Receipt string
	// ReceiptGate is the gate of the receipt through which the load comes
	// ("lane:sms"): it must count at least what the load saw accepted. "": not
	// compared.
	ReceiptGate string

	// Logs is a directory, made if need be, for all that each life writes:
	// life-0001.log. "": only the last lines of a life that fails are kept.
	Logs string
}

const (
	defaultReadyTimeout = 30 * time.Second
	readyPoll           = 2 * time.Millisecond
)

func (p Program) withDefaults() Program {
	p.ReadyTimeout = orElse(p.ReadyTimeout, defaultReadyTimeout)
	return p
}

// awaitReady returns when the child is ready, gone, or out of time.
func (p Program) awaitReady(ctx context.Context, c *Child) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.ReadyTimeout, fmt.Errorf("not within %s", p.ReadyTimeout))
	defer cancel()
	ctx, forget := c.whileAlive(ctx)
	defer forget()

	if p.ReadyLine != "" {
		select {
		case c.Line = <-c.output.found:
		case <-ctx.Done():
			return fmt.Errorf("no line with %q: %w", p.ReadyLine, context.Cause(ctx))
		}
	}
	if p.ReadyURL != "" {
		if err := AwaitURL(ctx, p.ReadyURL); err != nil {
			return err
		}
	}
	if p.Ready == nil {
		return nil
	}
	return p.Ready(ctx, c)
}

// AwaitURL asks until the answer is 2xx, every 2 ms, each time over a new
// connection. It is for a [Program].Ready whose address is known only when the
// program has said its Line; the error is why the context ended, and the last
// answer.
func AwaitURL(ctx context.Context, url string) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	var last error
	for {
		err := ask(ctx, client, url)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err // and not that we have run out of time
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", context.Cause(ctx), last)
		}
	}
}

func ask(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	err = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return errors.Join(fmt.Errorf("%s answers %s", url, resp.Status), err)
	}
	return nil
}
