package provider

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"
)

// Behaviour is how the provider treats its callers. The zero value answers at
// once, every time, and forgets which messages it has delivered.
type Behaviour struct {
	// Latency is the time between taking a call and answering it.
	Latency time.Duration
	// ErrorRate is the part of the calls, from 0 to 1, that is answered with
	// 503. Of every second such call the messages are delivered all the same:
	// the caller cannot know.
	ErrorRate float64
	// Outage answers every call with 503; if Channel is not empty, those for
	// that channel.
	Outage  bool
	Channel string
	// Deduplicate delivers a message only once.
	Deduplicate bool
}

// Gone is how the names of receivers begin that the provider refuses.
const Gone = "gone-"

// with is b changed by a query: latency=200ms&errors=0.1&outage=true. What it
// does not name stays.
func (b Behaviour) with(query url.Values) (Behaviour, error) {
	for name, values := range query {
		var err error
		switch value := values[len(values)-1]; name {
		case "latency":
			b.Latency, err = time.ParseDuration(value)
		case "errors":
			b.ErrorRate, err = strconv.ParseFloat(value, 64)
		case "outage":
			b.Outage, err = strconv.ParseBool(value)
		case "channel":
			b.Channel = value
		case "deduplicate":
			b.Deduplicate, err = strconv.ParseBool(value)
		default:
			err = errors.New("is unknown; give latency, errors, outage, channel or deduplicate")
		}
		if err != nil {
			return b, fmt.Errorf("%s: %w", name, err)
		}
	}
	return b, nil
}

func (b Behaviour) query() url.Values {
	return url.Values{
		"latency":     {b.Latency.String()},
		"errors":      {strconv.FormatFloat(b.ErrorRate, 'g', -1, 64)},
		"outage":      {strconv.FormatBool(b.Outage)},
		"channel":     {b.Channel},
		"deduplicate": {strconv.FormatBool(b.Deduplicate)},
	}
}

// fails says whether a call is answered with 503, and whether its messages
// are delivered all the same.
func (b Behaviour) fails(channel string) (failed, delivered bool) {
	switch {
	case b.Outage && (b.Channel == "" || b.Channel == channel):
		return true, false
	case rand.Float64() < b.ErrorRate:
		return true, rand.IntN(2) == 0
	}
	return false, true
}
