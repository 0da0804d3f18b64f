package provider

// Call is the body of POST /send.
type Call struct {
	Channel  string    `json:"channel"`
	Messages []Message `json:"messages"`
}

// Message is one text for one receiver.
type Message struct {
	// ID is the message's own, the same whenever it is sent again.
	ID   string `json:"id"`
	To   string `json:"to"`
	Text string `json:"text"`
}

// Answer is the body of a reply with the status 200.
type Answer struct {
	Results []Result `json:"results"` // in the order of the messages
}

// Result is what became of one message.
type Result struct {
	ID string `json:"id"`
	// Refused says why the message was not delivered; trying again is of no
	// use. Empty: it was delivered, now or earlier.
	Refused string `json:"refused,omitempty"`
}

// Sum is the body of GET /sum.
type Sum struct {
	Calls    int `json:"calls"`    // received
	Failed   int `json:"failed"`   // answered with 503
	Repeated int `json:"repeated"` // messages that had been delivered before, and were not delivered again
	Refused  int `json:"refused"`  // messages to receivers that are gone, repetitions included

	Delivered  int `json:"delivered"`  // one text to one receiver, however often
	Duplicates int `json:"duplicates"` // delivered again, to a receiver who had the text
}
