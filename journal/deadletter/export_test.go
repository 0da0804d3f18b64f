package deadletter

import (
	"net/http"
	"time"
)

// NarrowHandler is a Handler whose requests may take less.
func NarrowHandler(box Box, body int64, limit time.Duration) http.Handler {
	return newHandler(box, body, limit)
}
