package actuator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

func (a *Actuator) openapiEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: "openapi", Method: http.MethodGet, Path: "/openapi.json", Answer: map[string]any{},
		Summary: "Everything that can be asked here as an OpenAPI 3.1 document, with the schemas of the answers.",
	}, a.openapi}}
}

// document is as much of an OpenAPI document as we have to say.
type document struct {
	OpenAPI    string                          `json:"openapi"`
	Info       documentInfo                    `json:"info"`
	Paths      map[string]map[string]operation `json:"paths"` // by path and method
	Components documentComponents              `json:"components"`
	Tags       []tag                           `json:"tags"`
}

// tag is what endpoints of one id have in common.
type tag struct {
	Name string `json:"name"`
}

type documentInfo struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

type documentComponents struct {
	Schemas         map[string]*jsonschema.Schema `json:"schemas"`
	SecuritySchemes map[string]securityScheme     `json:"securitySchemes"`
}

type securityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme"`
	Description string `json:"description"`
}

// operation is one endpoint.
type operation struct {
	OperationID string                `json:"operationId"`
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	Parameters  []parameter           `json:"parameters,omitempty"`
	RequestBody *requestBody          `json:"requestBody,omitempty"`
	Responses   map[string]response   `json:"responses"` // by status
	Security    []map[string][]string `json:"security"`
}

type parameter struct {
	Name        string             `json:"name"`
	In          string             `json:"in"`
	Required    bool               `json:"required,omitempty"`
	Description string             `json:"description,omitempty"`
	Schema      *jsonschema.Schema `json:"schema"`
}

type requestBody struct {
	Required bool             `json:"required"`
	Content  map[string]media `json:"content"`
}

type response struct {
	Description string           `json:"description"`
	Content     map[string]media `json:"content,omitempty"`
}

type media struct {
	Schema *jsonschema.Schema `json:"schema,omitempty"`
}

const (
	tokenScheme = "token"
	plainJSON   = "application/json"
)

// openapi answers with the document. It comes as plain JSON to those who do
// not say what they want: tools know it as that.
func (a *Actuator) openapi(w http.ResponseWriter, r *http.Request) error {
	offered := append([]string{plainJSON, "application/vnd.oai.openapi+json"}, mediaTypes...)
	chosen := negotiate(r.Header.Values("Accept"), offered)
	if chosen == "" {
		return problemf(http.StatusNotAcceptable, "this comes as %s; accept one of them", strings.Join(offered, ", "))
	}
	body, err := encode(a.document())
	if err != nil {
		return err
	}
	send(w, http.StatusOK, chosen, body)
	return nil
}

// document describes the endpoints that are there. Which kinds of components
// there are is looked up anew.
func (a *Actuator) document() document {
	schemas, kinds := a.schemas(), a.kinds()
	doc := document{
		OpenAPI: "3.1.0",
		Info: documentInfo{
			Title: a.ownInfo().Build.Name + ": actuator", Version: a.ownInfo().Build.Version,
			Description: "What the application tells of itself, and what of it can be changed. " +
				"A value that sounds like a secret is \"" + masked + "\", whatever its schema says.",
		},
		Paths: map[string]map[string]operation{},
		Components: documentComponents{
			Schemas: schemas.named,
			SecuritySchemes: map[string]securityScheme{tokenScheme: {
				Type: "http", Scheme: "bearer",
				Description: "The token of the service, where the server asks for one: who asks from the same machine needs none.",
			}},
		},
	}
	if doc.Info.Version == "" {
		doc.Info.Version = "(devel)"
	}
	for _, e := range a.endpoints {
		if !a.may(e) || e.ofKind() && len(kinds) == 0 {
			continue
		}
		if t := (tag{e.ID}); !slices.Contains(doc.Tags, t) {
			doc.Tags = append(doc.Tags, t)
		}
		path := strings.ReplaceAll(a.pattern(e.Endpoint), "...}", "}")
		if doc.Paths[path] == nil {
			doc.Paths[path] = map[string]operation{}
		}
		doc.Paths[path][strings.ToLower(e.Method)] = schemas.operation(e.Endpoint, kinds)
	}
	return doc
}

func (s *schemas) operation(e Endpoint, kinds []string) operation {
	o := operation{
		OperationID: operationID(e), Tags: []string{e.ID}, Summary: e.Summary,
		Responses: map[string]response{"default": {
			Description: "It cannot be answered; the detail says why and what to do.",
			Content:     map[string]media{"application/problem+json": {s.of(problem{})}},
		}},
		Security: []map[string][]string{{}},
	}
	if !e.Open {
		o.Security = append(o.Security, map[string][]string{tokenScheme: {}})
	}
	for _, name := range e.variables() {
		p := parameter{Name: name, In: "path", Required: true, Schema: &jsonschema.Schema{Type: "string"}}
		if name == "kind" {
			for _, kind := range kinds {
				p.Schema.Enum = append(p.Schema.Enum, kind)
			}
		}
		o.Parameters = append(o.Parameters, p)
	}
	for _, name := range sortedKeys(e.Query) {
		o.Parameters = append(o.Parameters, parameter{Name: name, In: "query", Description: e.Query[name], Schema: &jsonschema.Schema{Type: "string"}})
	}
	if e.Body != nil {
		o.RequestBody = &requestBody{Required: true, Content: map[string]media{plainJSON: {s.of(e.Body)}}}
	}
	content := s.content(e)
	for _, status := range e.statuses() {
		o.Responses[strconv.Itoa(status)] = response{Description: http.StatusText(status), Content: content}
	}
	return o
}

// content is what an answer can come as; none: it has no body.
func (s *schemas) content(e Endpoint) map[string]media {
	content := map[string]media{}
	if e.Answer != nil {
		answer := s.of(e.Answer)
		if e.Otherwise != nil {
			answer = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{answer, s.of(e.Otherwise)}}
		}
		content[plainJSON], content[mediaTypes[0]] = media{answer}, media{answer}
	}
	for _, m := range e.Media {
		content[m] = media{&jsonschema.Schema{Type: "string"}}
	}
	if len(content) == 0 && !slices.Contains(e.statuses(), http.StatusNoContent) {
		content["*/*"] = media{}
	}
	return content
}

// operationID is what a generator of clients calls it.
func operationID(e Endpoint) string {
	words := strings.FieldsFunc(e.Path, func(r rune) bool { return strings.ContainsRune("/{}.-", r) })
	if len(words) == 0 {
		words = []string{e.ID}
	}
	return strings.ToLower(e.Method) + "_" + strings.Join(words, "_")
}
