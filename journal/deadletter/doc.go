// Package deadletter looks into the box of work that could not be done, takes
// letters out for a person to read and edit, and sends them again. The box
// itself, and what puts letters into it, is [journal.DeadLetters].
//
//	      Export               a person             Import, SendBack
//	box ──────────▶ CSV, JSONL ────────▶ edited file ────────────▶ component
//	 │                                                                 ▲
//	 ├─────────────────────────── Redrive ─────────────────────────────┘
//	 └─────────────────────────── Drop ──▶ gone
//
// A [Filter] chooses letters by component, key, reason, time and id. [Redrive],
// [SendBack] and [Drop] work on what was chosen and return a [Summary]; with
// Options.DryRun they say what they would do and change nothing.
//
// # Where letters are sent
//
// In a running service the box is its *[journal.DeadLetters]: a letter goes to
// the component of this process, as new work with the old id. Where no service
// runs, [NewOffline] makes a box of a directory: the work is appended to the
// component's journal, and replayed at the next start.
//
// Either way a letter is thrown away after its work was accepted, never
// before. Who dies in between sends it twice, under the same id: at least once,
// as everything in a journal.
//
// # A running service
//
// [Handler] gives the box over HTTP, and a [Client] has the same verbs at the
// other end. Package journal/control serves it on a unix socket in the service's
// journal directory, which only its owner may open.
//
// # The files
//
// A file has one letter in each row: id, component, key, keyed, reason,
// attempts, accepted, died, first_error, last_error, codec, version, encoding,
// payload. The payload is text where it is that, else base64, as encoding says;
// an id, component or key that is no text is "base64:" and its bytes. JSONL is for
// programs, CSV for people:
//
//   - payload, encoding and key may be edited; id and component say which letter
//     it is. The rest is for reading. Rows may be removed, and columns added. So
//     may columns be removed, but for id, component and payload: what a file does
//     not say is as it is in the box.
//   - A cell that a spreadsheet would run as a formula, beginning with = + - @ or
//     a tab, begins with an apostrophe, which Import takes away again. So does
//     one that begins with an apostrophe itself.
//   - A spreadsheet rewrites what looks like a number: 007 becomes 7, and
//     4915112345678 may become 4.92E+12. Where an id, a key or a payload is a bare
//     number, have its column read as text, or edit the JSONL.
//   - Import reads the separators of spreadsheets (, ; tab) and steps over a byte
//     order mark. Text that is not UTF-8 is refused, not guessed at.
//   - CSV cannot keep the carriage return of a line end: what has one counts as
//     no text.
//
// A row that is wrong is a [RowError] with its line, and the others are read
// all the same. A row whose letter is not in the box any more is refused, so
// that to send a file twice does not send the work twice.
//
// # Concurrency
//
// All functions may be used beside the service's own use of the box. Two calls
// that send the same letters at the same time may send them twice; [Handler]
// lets one such call at a time in.
package deadletter
