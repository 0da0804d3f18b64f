package server

import "encoding/json"

// requestFields is [Request] without its methods.
type requestFields Request

// MarshalJSON writes the age as text: "1.5s".
func (r Request) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		requestFields
		Age string `json:"age"`
	}{requestFields(r), r.Age.String()})
}
