// Package openapitest holds an OpenAPI 3.1 document against itself, and answers
// against the document.
//
// [Parse] fails the test for a document that is none: unknown fields, variables
// of a path without a parameter, references that lead nowhere, schemas that are
// none. [Document.Check] says whether an answer is one that the document
// promises.
package openapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Document is an OpenAPI document: as much of it as ours has.
type Document struct {
	OpenAPI string `json:"openapi"`
	Info    struct {
		Title       string `json:"title"`
		Version     string `json:"version"`
		Description string `json:"description"`
	} `json:"info"`
	Paths      map[string]map[string]Operation `json:"paths"`
	Components struct {
		Schemas         map[string]json.RawMessage `json:"schemas"`
		SecuritySchemes map[string]struct {
			Type        string `json:"type"`
			Scheme      string `json:"scheme"`
			Description string `json:"description"`
		} `json:"securitySchemes"`
	} `json:"components"`

	Tags []Tag `json:"tags"`

	mu       sync.Mutex
	resolved map[string]*jsonschema.Resolved // by their text
}

// Tag is what operations have in common.
type Tag struct {
	Name string `json:"name"`
}

// Operation is one method of a path.
type Operation struct {
	OperationID string                `json:"operationId"`
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	Parameters  []Parameter           `json:"parameters"`
	RequestBody *Body                 `json:"requestBody"`
	Responses   map[string]Response   `json:"responses"`
	Security    []map[string][]string `json:"security"`
}

// Parameter is one of a path or a query.
type Parameter struct {
	Name        string          `json:"name"`
	In          string          `json:"in"`
	Required    bool            `json:"required"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
}

// Body is that of a request.
type Body struct {
	Required bool             `json:"required"`
	Content  map[string]Media `json:"content"`
}

// Response is what one status comes with.
type Response struct {
	Description string           `json:"description"`
	Content     map[string]Media `json:"content"`
}

// Media is one of the forms of a body.
type Media struct {
	Schema json.RawMessage `json:"schema"`
}

// Parse reads a document and fails the test for everything that is wrong with
// it.
func Parse(tb testing.TB, raw []byte) *Document {
	tb.Helper()
	d := &Document{resolved: map[string]*jsonschema.Resolved{}}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	require.NoError(tb, dec.Decode(d))
	assert.Regexp(tb, `^3\.1\.\d+$`, d.OpenAPI)
	assert.NotEmpty(tb, d.Info.Title)
	assert.NotEmpty(tb, d.Info.Version)
	d.checkSchemas(tb)
	ids := map[string]bool{}
	for path, operations := range d.Paths {
		assert.True(tb, strings.HasPrefix(path, "/"), path)
		for method, o := range operations {
			assert.Contains(tb, []string{"get", "put", "post", "delete", "patch"}, method, path)
			assert.False(tb, ids[o.OperationID], "%s: the operationId %q is there twice", path, o.OperationID)
			ids[o.OperationID] = true
			assert.Regexp(tb, `^\w+$`, o.OperationID)
			d.checkOperation(tb, method+" "+path, o)
		}
	}
	_, err := resolve(d.Components.Schemas, d.schemas()...)
	require.NoError(tb, err)
	return d
}

// schemas are those without a name.
func (d *Document) schemas() []json.RawMessage {
	var all []json.RawMessage
	add := func(content map[string]Media) {
		for _, m := range content {
			if m.Schema != nil {
				all = append(all, m.Schema)
			}
		}
	}
	for _, operations := range d.Paths {
		for _, o := range operations {
			for _, p := range o.Parameters {
				all = append(all, p.Schema)
			}
			for _, r := range o.Responses {
				add(r.Content)
			}
			if o.RequestBody != nil {
				add(o.RequestBody.Content)
			}
		}
	}
	return all
}

func (d *Document) checkSchemas(tb testing.TB) {
	tb.Helper()
	everything := d.everything(tb)
	for name := range d.Components.Schemas {
		assert.Regexp(tb, `^[a-zA-Z0-9._-]+$`, name)
		assert.Contains(tb, everything, `"#/components/schemas/`+name+`"`, "nobody refers to it")
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]*)"`).FindAllStringSubmatch(everything, -1) {
		assert.Contains(tb, d.Components.Schemas, strings.TrimPrefix(ref[1], "#/components/schemas/"), "a reference that leads nowhere")
	}
}

// everything is the document as one line.
func (d *Document) everything(tb testing.TB) string {
	tb.Helper()
	raw, err := json.Marshal(d)
	require.NoError(tb, err)
	return string(raw)
}

var variable = regexp.MustCompile(`\{([^{}]*)\}`)

func (d *Document) checkOperation(tb testing.TB, name string, o Operation) {
	tb.Helper()
	assert.NotEmpty(tb, o.Summary, name)
	for _, tag := range o.Tags {
		assert.Contains(tb, d.Tags, Tag{tag}, name)
	}
	var inPath []string
	for _, p := range o.Parameters {
		assert.Contains(tb, []string{"path", "query"}, p.In, name)
		assert.NotEmpty(tb, p.Name, name)
		assert.NotEmpty(tb, p.Schema, "%s: parameter %s", name, p.Name)
		if p.In == "path" {
			assert.True(tb, p.Required, "%s: parameter %s", name, p.Name)
			inPath = append(inPath, p.Name)
		}
	}
	var want []string
	for _, v := range variable.FindAllStringSubmatch(name, -1) {
		want = append(want, v[1])
	}
	assert.ElementsMatch(tb, want, inPath, name)
	for _, alternative := range o.Security {
		for scheme := range alternative {
			assert.Contains(tb, d.Components.SecuritySchemes, scheme, name)
		}
	}
	if o.RequestBody != nil {
		assert.NotEmpty(tb, o.RequestBody.Content, name)
		checkContent(tb, name, o.RequestBody.Content)
	}
	assert.NotEmpty(tb, o.Responses, name)
	for status, r := range o.Responses {
		assert.Regexp(tb, `^([1-5]\d\d|default)$`, status, name)
		assert.NotEmpty(tb, r.Description, "%s: %s", name, status)
		checkContent(tb, name+": "+status, r.Content)
	}
}

func checkContent(tb testing.TB, name string, content map[string]Media) {
	tb.Helper()
	for media := range content {
		assert.Regexp(tb, `^[\w*.+-]+/[\w*.+-]+$`, media, name)
	}
}

// schema is one of the document that can be asked.
func (d *Document) schema(raw json.RawMessage) (*jsonschema.Resolved, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.resolved[string(raw)]; s != nil {
		return s, nil
	}
	used := map[string]json.RawMessage{}
	d.use(raw, used)
	s, err := resolve(used, raw)
	if err == nil {
		d.resolved[string(raw)] = s
	}
	return s, err
}

var reference = regexp.MustCompile(`"\$ref":\s*"#/components/schemas/([^"]*)"`)

// use adds the schemas that a schema refers to, and those that they refer to.
func (d *Document) use(raw json.RawMessage, used map[string]json.RawMessage) {
	for _, ref := range reference.FindAllSubmatch(raw, -1) {
		name := string(ref[1])
		if schema, ok := d.Components.Schemas[name]; ok && used[name] == nil {
			used[name] = schema
			d.use(schema, used)
		}
	}
}

// resolve makes one schema of several. The library knows the references of
// JSON Schema alone, so what the document names becomes that.
func resolve(named map[string]json.RawMessage, raw ...json.RawMessage) (*jsonschema.Resolved, error) {
	all, err := json.Marshal(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$defs":   named,
		"allOf":   raw,
	})
	if err != nil {
		return nil, err
	}
	all = bytes.ReplaceAll(all, []byte(`"#/components/schemas/`), []byte(`"#/$defs/`))
	var schema jsonschema.Schema
	if err := json.Unmarshal(all, &schema); err != nil {
		return nil, err
	}
	return schema.Resolve(nil)
}

// Operation finds what a request is for: the path with the fewest variables
// that fits.
func (d *Document) Operation(method, path string) (template string, o Operation, err error) {
	templates := make([]string, 0, len(d.Paths))
	for t := range d.Paths {
		templates = append(templates, t)
	}
	slices.SortFunc(templates, func(a, b string) int { return strings.Count(a, "{") - strings.Count(b, "{") })
	for _, t := range templates {
		if o, ok := d.Paths[t][strings.ToLower(method)]; ok && fits(t, path) {
			return t, o, nil
		}
	}
	return "", o, fmt.Errorf("the document has no %s %s", method, path)
}

// fits: a variable is one segment of a path.
func fits(template, path string) bool {
	return slices.EqualFunc(strings.Split(template, "/"), strings.Split(path, "/"), func(t, p string) bool {
		return t == p || strings.HasPrefix(t, "{") && p != ""
	})
}

// Gets are the paths of every GET, with variables replaced by each of their
// names in turn, and by one that there is not.
func (d *Document) Gets(names map[string][]string) []string {
	var paths []string
	for template, operations := range d.Paths {
		if _, ok := operations["get"]; ok {
			paths = append(paths, expand(template, names)...)
		}
	}
	slices.Sort(paths)
	return paths
}

func expand(template string, names map[string][]string) []string {
	before, rest, found := strings.Cut(template, "{")
	if !found {
		return []string{template}
	}
	name, after, _ := strings.Cut(rest, "}")
	var paths []string
	for _, value := range append(slices.Clone(names[name]), "no-such-thing") {
		for _, end := range expand(after, names) {
			paths = append(paths, before+value+end)
		}
	}
	return paths
}
