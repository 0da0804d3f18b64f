package batch

import "encoding/json"

// The types below stand in the JSON for the struct whose name they bear: what
// they embed has no methods, and what they are embedded in has fields that take
// the place of those of the same name.
type (
	statsFields  Stats
	limitsFields Limits
	landedFields Landed
)

// MarshalJSON writes the age as text: "1.5s".
func (s Stats) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		statsFields
		Oldest string `json:"oldest"`
	}{statsFields(s), s.Oldest.String()})
}

// MarshalJSON writes the linger as text: "1.5s".
func (l Limits) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		limitsFields
		Linger string `json:"linger"`
	}{limitsFields(l), l.Linger.String()})
}

// MarshalJSON writes what it took as text: "1.5s".
func (l Landed) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		landedFields
		Took string `json:"took"`
	}{landedFields(l), l.Took.String()})
}
