package journal

import "strings"

// DeadLettersName is the name of the journal that a box is kept in.
const DeadLettersName = "deadletters"

// checkpointPrefix begins the names of journals that a [Checkpoint] is kept in.
const checkpointPrefix = "checkpoint:"

// CheckpointName is the name of the journal for the [Checkpoint] of a source:
// "checkpoint:rows".
func CheckpointName(source string) string { return checkpointPrefix + source }

// IsWork reports whether a journal of this name holds work of a component, to
// be replayed: "lane:sms", "batch:orders". The others remember something, such
// as "deadletters" and "checkpoint:rows"; an entry that is work makes them
// unreadable.
func IsWork(name string) bool {
	return name != DeadLettersName && !strings.HasPrefix(name, checkpointPrefix)
}
