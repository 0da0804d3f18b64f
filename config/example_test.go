package config_test

import (
	"fmt"
	"os"
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
