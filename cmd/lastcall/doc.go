// Command lastcall looks into the journals of a service, and sends dead letters
// again.
//
//	lastcall journal inspect             what is in the journals
//	lastcall journal verify              read every byte; is all of it intact?
//	lastcall journal export NAME         the entries of one, as CSV or JSONL
//
//	lastcall deadletters list            work that could not be done
//	lastcall deadletters show ID         all that is known of a letter
//	lastcall deadletters export          letters as CSV or JSONL
//	lastcall deadletters import FILE     send letters of an edited file
//	lastcall deadletters redrive         send letters as they are
//	lastcall deadletters drop            throw letters away
//
// It works on a journal directory (--dir). While no process holds the
// directory, it reads and writes the files. While a service does, it is asked
// through its control socket; where it has none, the command is refused and
// names the process.
//
// What only reads changes no byte, and neither does --dry-run. Files are changed
// by their owner alone: what root leaves in a directory, its service cannot read.
//
// Exit codes:
//
//	0  done
//	1  failed, or interrupted
//	2  the command line is wrong
//	3  verify has found damage
//	4  a live process holds the directory
//	5  partly done: some letters were not sent, or are not in the box
package main
