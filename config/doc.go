// Package config reads what a program is told from outside and hands it over
// as typed values, each of which knows where it came from.
//
// # Sources
//
// Later rows win over earlier ones, key by key:
//
//	source       example                             origin shown
//	default      Section.Value as the program set it default
//	file         pools: {sms: {workers: 8}}          config.yaml:12
//	overrides    the same, in a file of its own      config.overrides.yaml:3
//	environment  LASTCALL_POOLS_SMS_WORKERS=8        LASTCALL_POOLS_SMS_WORKERS
//	flag         --set pools.sms.workers=8, --input  --set, --input
//	code         fx.Replace, fx.Decorate             (in the graph, outside this package)
//
// The overrides file is written by the program: a change that is made while it
// runs, and is to outlive it, is kept there ([Values.Keep]).
//
// Maps are merged entry by entry and field by field, so that a file can change
// one field of a pool that the program declares. Lists are replaced whole. An
// empty value in the file (a key with nothing after it) and an empty variable
// change nothing.
//
// # Sections
//
// A program names what it understands as [Section]s: a key, and a pointer to a
// struct or a map that holds the defaults. Fields are found by their yaml tag,
// as yaml.v3 does it. [Load] writes into the values only when nothing at all
// is wrong:
//
//	         file ─┐
//	environment ──┼─▶ known keys? ─▶ merge ─▶ decode a copy ─▶ Validate ─▶ write
//	       flags ─┘        │                       │              │
//	                       └───────────────────────┴──────────────┴─▶ *Error, all of it
//
// Durations read as "30s", byte sizes as "4MiB" (into integer fields), lists
// as YAML lists or as "a,b,c", and every encoding.TextUnmarshaler as its text.
//
// A type with a method Validate() error is asked when it is filled. The
// outermost one speaks for what is below it. Each of its joined errors that
// begins with a field ("workers: must not be negative") is reported at the
// line where that field was set.
//
// # Names of variables
//
// The prefix (LASTCALL_ if none is given), then the key in capitals with _
// between its parts. Keys have underscores of their own (idle_timeout), so a
// name is matched against the keys that exist, map entries of the defaults and
// of the file included. Two underscores separate parts whatever exists: they
// name an entry that is new, LASTCALL_POOLS__EMAIL__WORKERS, or decide where a
// name could be read in two ways.
// LASTCALL_CONFIG names the file, unless --config does, LASTCALL_OVERRIDES the
// overrides file, unless --overrides does.
//
// # Places for anchors
//
// A top level key of the file that begins with "x-" is not read; it is a place
// for what anchors refer to. Merge keys (<<) work.
//
// # What was loaded
//
// [Values] know each key with its value and origin ([Values.All]), what each
// source says, counting or not ([Values.Layers]), and what is different in
// others ([Values.Diff]). They never change, show no [Secret], and are safe for
// concurrent use.
//
// # Reload
//
// A [Watcher] loads again when a file holds something else:
//
//	config.yaml ──────────┐
//	                      ├─▶ settled? ─▶ parse ─▶ validate ─▶ changed(next, nil) ─▶ swap, by whoever
//	config.overrides.yaml ┘      │          │          │                             has the values
//	                             │          └──────────┴─────▶ changed(nil, *Error)
//	                             └ empty, gone, half written: what was last good counts
//
// It begins with the defaults as they were before the first [Load], with the
// same arguments and environment; only the files are read again. The sections
// stay as they were filled at first: what a running program does with a change
// is for it to say. Package modules turns the knobs of the components and says
// what needs a restart.
//
// # Concurrency
//
// [Load] reads the files and nothing else of the world: arguments and
// environment come in through [Options]. It keeps no state and may be called
// again at any time, with sections that hold fresh defaults; what was loaded
// before stays as it was. A Watcher has one goroutine, which calls its owner.
//
// # Limits
//
// A file that somebody writes slowly in place, pausing for longer than the
// debounce, can be taken half written where the system does not tell that it is
// still open: on other systems than Linux, on most network file systems, and for
// files of another user. Rename it over, and it never is.
//
// # Testing
//
// Give Options by hand; a zero Options reads nothing. [FromProcess] leaves the
// arguments of a test binary out.
package config
