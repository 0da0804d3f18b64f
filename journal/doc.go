// Package journal is the contract for work that must outlive the process: it
// is written down before it is promised, crossed out when it is done, and what
// is not crossed out is read back at the next start.
//
//	           Append                 Ack
//	work ─────────────▶ in the journal ─────▶ forgotten
//	                      │       ▲
//	     crash, or a stop │       │ the next life of the program
//	     that was short   ▼       │
//	                     Replay: what is not acknowledged, in order
//
// A store behind the contract is called by its own name: filejournal, in this
// repository, keeps segments in a directory. Another store runs
// journaltest.Run to show that it keeps the promises below.
//
// # What is promised, and when
//
//  1. Durable when Append returns nil. What "durable" withstands (the death of
//     the process, a power loss) is said by the store and by its
//     configuration, never by the contract. All entries of one Append come
//     back, or the program was never told that they would.
//  2. Append that returns an error accepted none of its entries. The store
//     takes back what it has written; only if the process dies, or the disk
//     fails, before that is done may such an entry be replayed.
//  3. At least once. An entry is replayed in every life of the program until
//     its acknowledgement is durable, which it need not be when Ack returns:
//     after a crash, work that was done may come again. Deduplicate by
//     [Entry.ID], which stays the same.
//  4. In order. Replay yields entries in the order of their sequence numbers,
//     which is the order in which concurrent Appends were let in; the entries
//     of one Append are neighbours.
//  5. Nothing is invented and nothing is dropped in silence. An entry that
//     cannot be read any more is reported by the store, and the others come
//     all the same.
//
// # Concurrency
//
// Every method may be called from any goroutine at any time. Replay runs
// beside Append and Ack: it yields what was appended before it began.
//
// # Sending on
//
// Who appends keeps the returned [Span] beside the work and gives it to Ack
// when the work has come to an end. Spans that touch may be joined: many
// stores write one acknowledgement for a thousand entries as cheaply as for
// one.
package journal
