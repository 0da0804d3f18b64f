package openapitest

import (
	"encoding/json"
	"fmt"
	"mime"
	"strconv"
)

// Check says what of an answer is other than the document promises. The path
// has no query.
func (d *Document) Check(method, path string, status int, contentType string, body []byte) error {
	_, o, err := d.Operation(method, path)
	if err != nil {
		return err
	}
	r, ok := o.Responses[strconv.Itoa(status)]
	if !ok {
		if r, ok = o.Responses["default"]; !ok || status < 400 {
			return fmt.Errorf("the status %d is not promised", status)
		}
	}
	if len(r.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("no body is promised: %s", body)
		}
		return nil
	}
	m, err := r.as(contentType)
	if problem := o.Responses["default"]; err != nil && status >= 400 {
		m, err = problem.as(contentType) // a status that has an answer of its own may be a refusal too
	}
	if err != nil || m.Schema == nil {
		return err
	}
	var value any
	if media, _, _ := mime.ParseMediaType(contentType); !isJSON(media) {
		value = string(body)
	} else if err := json.Unmarshal(body, &value); err != nil {
		return fmt.Errorf("it is no JSON: %w", err)
	}
	schema, err := d.schema(m.Schema)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func (r Response) as(contentType string) (Media, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return Media{}, err
	}
	m, ok := r.Content[media]
	if !ok {
		if m, ok = r.Content["*/*"]; !ok {
			return m, fmt.Errorf("it is not promised to come as %s", media)
		}
	}
	return m, nil
}

func isJSON(media string) bool {
	return media == "application/json" || len(media) > 5 && media[len(media)-5:] == "+json"
}
