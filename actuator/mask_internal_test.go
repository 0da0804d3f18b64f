package actuator

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMaskHidesSecrets(t *testing.T) {
	give := struct {
		Z        int            `json:"z"`
		APIKey   string         `json:"apiKey"`
		Password any            `json:"db.password"`
		Empty    string         `json:"secret"`
		Tokens   int            `json:"max_tokens"`
		Nested   map[string]any `json:"credentials"`
		URL      []string       `json:"urls"`
		A        string         `json:"a"`
	}{
		1, "s3cret", 1234, "", 7, map[string]any{"user": "s3cret", "ok": true},
		[]string{"amqp://me:s3cret@host/x", "me:s3cret@tcp(host:1)/x", "host=a password=s3cret", "Bearer s3crets3cret"}, "<&>",
	}
	raw, err := mask{}.json(give)
	require.NoError(t, err)
	//nolint:testifylint // the order of the fields is what is asserted
	assert.Equal(t, `{"z":1,"apiKey":"******","db.password":"******","secret":"","max_tokens":7,`+
		`"credentials":{"ok":true,"user":"******"},`+
		`"urls":["amqp://me:******@host/x","me:******@tcp(host:1)/x","host=a password=******","Bearer ******"],"a":"<&>"}`, string(raw))
}

func TestMaskShowsWhatIsAllowed(t *testing.T) {
	raw, err := mask{show: []string{"page_*"}}.json(map[string]string{"page_token": "7", "api_token": "8"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"page_token":"7","api_token":"******"}`, string(raw))
}

type wild struct{ err error }

func (w wild) MarshalJSON() ([]byte, error) {
	if w.err == nil {
		panic("wild")
	}
	return nil, w.err
}

func TestMaskSurvivesWhatCannotBeEncoded(t *testing.T) {
	for _, v := range []any{make(chan int), wild{}, wild{errors.New("no")}} {
		_, err := mask{}.json(v)
		assert.Error(t, err)
	}
}
