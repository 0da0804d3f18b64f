package config_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// poolConfig and the sections below are what programs look like.
type poolConfig struct {
	Workers     int           `yaml:"workers"`
	MaxWorkers  int           `yaml:"max_workers"`
	Queue       int           `yaml:"queue"`
	IdleTimeout time.Duration `yaml:"idle_timeout"`
}

type pools struct {
	Pools map[string]poolConfig `yaml:"pools"`
	Lanes map[string]*lane      `yaml:"lanes"`
}

type lane struct {
	Pool string   `yaml:"pool"`
	Tags []string `yaml:"tags"`
}

type server struct {
	Addr     string        `yaml:"addr"`
	Read     time.Duration `yaml:"read_timeout"`
	MaxBody  int64         `yaml:"max_body"`
	Ratio    float64       `yaml:"ratio"`
	Compress bool          `yaml:"compress"`
	Backlog  uint16        `yaml:"backlog"`
	Hosts    []string      `yaml:"hosts"`
	Routes   []route       `yaml:"routes"`
	Corners  [2]int        `yaml:"corners"`
	Level    level         `yaml:"level"`
	Token    config.Secret `yaml:"token"`
	Tuning   *tuning       `yaml:"tuning"`
	Extra    any           `yaml:"extra"`
	Common   `yaml:",inline"`

	OnPanic func(any)  `yaml:"on_panic"` // no file can name it
	Skipped string     `yaml:"-"`
	hidden  chan int   //nolint:unused // unexported fields must not matter
	Self    *server    `yaml:"self"`
	Labels  stringsMap `yaml:"labels"`
}

type stringsMap map[string]string

type Common struct {
	Region string `yaml:"region"`
}

type route struct {
	Path string            `yaml:"path"`
	Port int               `yaml:"port"`
	Head map[string]string `yaml:"head"`
}

type tuning struct {
	Depth int `yaml:"depth"`
}

// level can be read from text, through a pointer that it shares with copies.
type level struct{ text *string }

func (l *level) UnmarshalText(text []byte) error {
	if string(text) == "loud" {
		return errLoud
	}
	if l.text == nil {
		l.text = new(string)
	}
	*l.text = string(text)
	return nil
}

func (l level) MarshalText() ([]byte, error) {
	if l.text == nil {
		return []byte("info"), nil
	}
	return []byte(*l.text), nil
}

// sections returns fresh defaults.
func sections() (*pools, *server, []config.Section) {
	p := &pools{Pools: map[string]poolConfig{
		"sms":   {Workers: 4, MaxWorkers: 16, Queue: 100, IdleTimeout: time.Minute},
		"email": {Workers: 2},
	}}
	s := &server{Addr: ":8080", Read: 5 * time.Second}
	return p, s, []config.Section{{Value: p}, {Key: "http", Value: s}}
}

// file makes options that read text as config.yaml.
func file(text string) config.Options {
	return config.Options{File: "config.yaml", ReadFile: texts(map[string]string{"config.yaml": text})}
}

// texts reads files that are only texts.
func texts(files map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(text), nil
	}
}

func lines(s ...string) string { return strings.Join(s, "\n") }
