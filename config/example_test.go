package config_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lastcall-go/lastcall/config"
)

type mailer struct {
	Addr    string        `yaml:"addr"`
	Timeout time.Duration `yaml:"timeout"`
	Token   config.Secret `yaml:"token"`
}

func (m mailer) Validate() error {
	if m.Timeout <= 0 {
		return fmt.Errorf("timeout: must be positive, got %s", m.Timeout)
	}
	return nil
}

// A program has defaults; a file, the environment and the flags lie over them.
// In main, config.FromProcess gives the options.
func ExampleLoad() {
	mail := mailer{Addr: "localhost:25", Timeout: 10 * time.Second}
	values, err := config.Load(config.Options{
		File:     "mail.yaml",
		ReadFile: func(string) ([]byte, error) { return []byte("mail:\n  timeout: 30s\n"), nil },
		Environ:  []string{"LASTCALL_MAIL_TOKEN=hunter2"},
		Args:     []string{"--set", "mail.addr=mx.example.org:25"},
	}, config.Section{Key: "mail", Value: &mail})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mail.Addr, mail.Timeout, mail.Token)
	fmt.Println(values.Origin("mail.timeout"))
	_ = values.Print(os.Stdout)
	// Output:
	// mx.example.org:25 30s ***
	// mail.yaml:2
	// mail:
	//   addr: mx.example.org:25 # --set
	//   timeout: 30s # mail.yaml:2
	//   token: '***' # LASTCALL_MAIL_TOKEN
}

// All that is wrong is said at once, and where.
func ExampleError() {
	_, err := config.Load(config.Options{
		File:     "mail.yaml",
		ReadFile: func(string) ([]byte, error) { return []byte("mail:\n  adr: x\n  timeout: -1s\n"), nil },
		Environ:  []string{"LASTCALL_MAIL_TOKN=hunter2"},
	}, config.Section{Key: "mail", Value: &mailer{}})
	fmt.Println(err)
	// Output:
	// config: 3 problems
	//   mail.yaml:2:3: mail.adr: unknown key, did you mean "addr"?
	//   mail.yaml:3:3: mail.timeout: must be positive, got -1s
	//   LASTCALL_MAIL_TOKN: no key has this name, did you mean "LASTCALL_MAIL_TOKEN"?
}

func ExampleSecret() {
	token := config.NewSecret("hunter2")
	fmt.Printf("%v %+v %#v %s\n", token, token, token, token)
	fmt.Println(len(token.Reveal()))
	// Output:
	// *** *** *** ***
	// 7
}

func ExampleWatcher() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	name := filepath.Join(dir, "config.yaml")
	_ = os.WriteFile(name, []byte("limits: {per_day: 10}"), 0o600)

	limits := struct {
		PerDay int `yaml:"per_day"`
	}{}
	values, err := config.Load(config.Options{File: name}, config.Section{Key: "limits", Value: &limits})
	if err != nil {
		fmt.Println(err)
		return
	}
	told := make(chan string, 1)
	w := config.NewWatcher(values, config.WatchConfig{}, func(_ context.Context, next *config.Values, err error) {
		if err != nil {
			told <- err.Error() // what was last good still counts
			return
		}
		for _, d := range values.Diff(next) {
			told <- fmt.Sprintf("%s: %v → %v", d.Key, d.Before.Value, d.After.Value)
		}
		values = next
	})
	_ = w.Start(context.Background())
	_ = os.WriteFile(name, []byte("limits: {per_day: 20}"), 0o600)
	fmt.Println(<-told)
	fmt.Println(w.Stop(context.Background()))
	// Output:
	// limits.per_day: 10 → 20
	// <nil>
}
