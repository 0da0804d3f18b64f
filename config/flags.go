package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/spf13/pflag"
)

// Wants is what the command line asks for besides values.
type Wants struct {
	// Help asks for [Values.Usage] and the exit.
	Help bool
	// PrintConfig asks for [Values.Print] and the exit.
	PrintConfig bool
	// PrintGraph asks for the dependency graph and the stop plan, and the
	// exit.
	PrintGraph bool
}

// command is what the arguments say.
type command struct {
	wants     Wants
	file      string
	overrides string
	set       []assignment // in the order given: the last one wins
	args      []string
	usage     string // of the flags
}

type assignment struct {
	flag string // "--set", "--input"
	key  string
	text string
}

// flagValue lets pflag hand over values in the order in which they stand on
// the command line, whichever flags they belong to.
type flagValue struct {
	typ string
	set func(text string)
}

func (f flagValue) String() string { return "" }
func (f flagValue) Type() string   { return f.typ }

func (f flagValue) Set(text string) error {
	f.set(text)
	return nil
}

// parseArgs reads the arguments without touching the keys yet: which map
// entries exist is known only after the file and the environment.
func (l *loader) parseArgs() *command {
	cmd := &command{
		file:      l.opts.variable(l.opts.Prefix + fileVariable),
		overrides: l.opts.variable(l.opts.Prefix + overridesVariable),
	}
	flags := l.flagSet(cmd)
	cmd.usage = flags.FlagUsages()

	if err := flags.Parse(l.knownArgs(flags)); err != nil {
		l.problem("", Origin{Source: FromFlag, Detail: "arguments"}, "", err.Error())
	}
	rest := flags.Args()
	own := flags.ArgsLenAtDash()
	if own < 0 {
		own = len(rest)
	}
	for _, arg := range rest[:own] {
		l.problem("", Origin{Source: FromFlag, Detail: "arguments"}, "", fmt.Sprintf("%q is not a flag; what is meant for the program itself stands after --", arg))
	}
	cmd.args = rest[own:]
	return cmd
}

func (l *loader) flagSet(cmd *command) *pflag.FlagSet {
	flags := pflag.NewFlagSet(l.opts.Name, pflag.ContinueOnError)
	flags.Usage = func() {}
	flags.SortFlags = false
	for _, f := range l.opts.Flags {
		l.addFlag(flags, f, cmd)
	}
	flags.StringVar(&cmd.file, "config", cmd.file, "read this `file`, which must exist")
	flags.Lookup("config").DefValue = ""
	flags.StringVar(&cmd.overrides, "overrides", cmd.overrides, "keep changes that are made while running in this `file`")
	flags.Lookup("overrides").DefValue = ""
	flags.Var(flagValue{"key=value", func(text string) { l.parseSet(text, cmd) }}, "set", "set a key, as in --set http.addr=:8080; may be repeated")
	flags.BoolVar(&cmd.wants.PrintConfig, "print-config", false, "print every value and where it came from, and exit")
	flags.BoolVar(&cmd.wants.PrintGraph, "print-graph", false, "print the dependency graph and the stop plan, and exit")
	flags.BoolVarP(&cmd.wants.Help, "help", "h", false, "print this text, and exit")
	return flags
}

// addFlag adds a flag of the program's own.
func (l *loader) addFlag(flags *pflag.FlagSet, f Flag, cmd *command) {
	at := Origin{Source: FromDefault}
	path := l.root.find(f.Key, dotted)
	switch {
	case f.Name == "" || flags.Lookup(f.Name) != nil || l.reserved(f.Name):
		l.problem(f.Key, at, "", fmt.Sprintf("the flag name %q is taken or empty; choose another", f.Name))
		return
	case path == nil:
		l.problem(f.Key, at, "", fmt.Sprintf("the flag --%s is for a key that no section has", f.Name))
		return
	}
	n := l.root.at(path)
	v := flagValue{strings.TrimPrefix(n.wants(), "a "), func(text string) {
		cmd.set = append(cmd.set, assignment{flag: "--" + f.Name, key: f.Key, text: text})
	}}
	flags.Var(v, f.Name, f.Usage)
	if n.typ.Kind() == reflect.Bool {
		flags.Lookup(f.Name).NoOptDefVal = "true"
	}
}

func (l *loader) reserved(name string) bool {
	switch name {
	case "config", "overrides", "set", "print-config", "print-graph", "help":
		return true
	}
	return false
}

// parseSet never repeats its argument in a message: it may be a secret with a
// typing error in front of it.
func (l *loader) parseSet(text string, cmd *command) {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		l.problem("", Origin{Source: FromFlag, Detail: "--set"}, "", "wants a key and a value with = between them, as in --set http.addr=:8080")
		return
	}
	cmd.set = append(cmd.set, assignment{flag: "--set", key: key, text: value})
}

// knownArgs reports the flags that nobody declared and returns the rest, so
// that one wrong flag does not hide the next: pflag stops at the first.
func (l *loader) knownArgs(flags *pflag.FlagSet) []string {
	var known []string
	args := l.opts.Args
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(known, args[i:]...)
		}
		typed, _, hasValue := strings.Cut(arg, "=")
		flag := flags.Lookup(strings.TrimLeft(typed, "-"))
		switch {
		case !strings.HasPrefix(arg, "-") || arg == "-" || arg == "-h":
			known = append(known, arg)
		case flag != nil && strings.HasPrefix(arg, "--"):
			known = append(known, arg)
			if !hasValue && flag.NoOptDefVal == "" && i+1 < len(args) {
				i++
				known = append(known, args[i])
			}
		default:
			l.unknownFlag(flags, typed)
			// The next word is probably its value; a second message about
			// it would only confuse.
			if !hasValue && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++
			}
		}
	}
	return known
}

func (l *loader) unknownFlag(flags *pflag.FlagSet, typed string) {
	name := strings.TrimLeft(typed, "-")
	var known []string
	flags.VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	hint := nearest(name, known)
	switch {
	case hint != "":
		hint = "--" + hint
	case l.root.find(name, dotted) != nil:
		hint = "--set " + name + "=…"
	}
	l.problem("", Origin{Source: FromFlag, Detail: typed}, hint, "there is no such flag; --help lists them")
}

// loadFlags merges what the flags set.
func (l *loader) loadFlags(set []assignment) {
	flat := map[string]any{}
	for _, a := range set {
		at := Origin{Source: FromFlag, Detail: a.flag}
		path := l.root.find(a.key, dotted)
		if path == nil {
			hint, msg := l.unknownPath(a.key)
			l.problem(a.key, at, hint, msg)
			continue
		}
		l.record(l.root.at(path), a.text, at)
		flat[strings.Join(path, delim)] = a.text
	}
	l.merge(confmap.Provider(flat, delim))
}

// unknownPath says where a dotted key leaves what is known.
func (l *loader) unknownPath(key string) (suggestion, msg string) {
	n, parts := l.root, splitKey(key)
	for i, name := range parts {
		if n.kind == leaf || n.kind == list {
			return "", fmt.Sprintf("unknown key; %s is a value and has no keys of its own", n.key)
		}
		kid := n.kids[name]
		if kid == nil && n.open() && isName(name) {
			kid = n.entry(name)
		}
		if kid == nil {
			hint, msg := l.unknown(n, name)
			if hint != "" && l.root.find(hint, dotted) == nil {
				hint = strings.Join(append(append(append([]string{}, parts[:i]...), hint), parts[i+1:]...), ".")
			}
			return hint, msg
		}
		n = kid
	}
	return "", "is a group of keys; set one of them"
}
