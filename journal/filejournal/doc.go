// Package filejournal keeps journals in files of its own: no server, no
// library beneath it, one directory per service.
//
//	d, err := filejournal.Open(filejournal.Config{Dir: "journal"})
//	j, err := d.Open(ctx, "pool:sms")
//
// It keeps the promises of package journal; what "durable" withstands is
// chosen with [Sync]:
//
//	sync:      kill -9            power loss                    an append costs
//	process    loses nothing      what the kernel has not       about a copy
//	                              written back yet, some 30 s
//	50ms       loses nothing      the last 50 ms                about a copy
//	always     loses nothing      loses nothing                 a sync, shared by
//	                                                            all who wait
//
// The first two are cheap because the kernel outlives the process: entries are
// copied into memory that is mapped over a file whose room on the disk is
// reserved, and are the kernel's from then on. Where files cannot be mapped or
// reserved they are filled with zeros and written with one write per Append.
//
// # Files
//
//	journal/
//	  LOCK                                       who holds the directory
//	  j-pool%3Asms/
//	    000000000007-5f3a….segment               number and epoch
//	    quarantine/000000000003-…-at-4096-80.bytes, .txt
//
// A journal is a row of segments. Entries go to the active one; when it is full
// it is sealed, and the next, made ahead, takes over. Where all entries of a
// segment are acknowledged it is made again under a new name, or removed,
// whatever became of those before it. Where few are alive they are moved
// together: see Compaction.
//
//	made ─▶ spare ─▶ active ─▶ sealed ─▶ free ─▶ made again
//	                   │          └─▶ compacted: its entries are in another
//	                   │ a write or a sync failed
//	                   ▼
//	                 failed: read, never written or forced again
//
// What is in a segment is drawn in frame.go and header.go. Entries grow from
// its beginning, acknowledgements from its end, a slot being set aside for
// each entry: there is always room to acknowledge. The number of the segment
// and the epoch of the life that made it seed every checksum, so what an
// earlier user of a file has left is never taken for an entry. An
// acknowledgement is not forced to the disk: after a power loss work that was
// done may come again.
//
// # Compaction
//
// An entry may stay for months: a dead letter, a checkpoint, an item that is
// stuck. So that it does not keep a whole segment, and each life of the program
// one more, the living entries of neighbouring segments are copied to one that
// is as large as they are, in their order, under their sequence numbers and
// ids, and the old segments are removed.
//
// That is done when a journal is opened, and when an append would be refused
// with [journal.ErrFull]. A journal that has just been opened takes no more than
// about twice what is alive in it and three segments. One that runs takes up to
// MaxBytes, and is full when nothing more can be won. At one go no more than a
// segment is written, and as much is given back at least, or several files
// become one; an open goes on until nothing is to be won, an append until it
// has room. A segment is copied again only with neighbours that have grown to
// half of it: the more there is, the less often it is moved.
//
// At whichever step the process dies or the power goes, nothing is lost and
// nothing comes twice. The new segment is made under another name, and forced
// whatever sync says, since what it copies may have been safe for months. Its
// header says which sequence numbers it stands for, and an older segment that
// begins among them does not count; so the rename that gives it its name is the
// one moment at which it begins to count and the old ones cease to. Before, a
// reader finds them alone; after, it passes over those that are still there, and
// the next open removes them. They are removed when the directory has been
// forced, and until they are gone it stays, even if all in it is acknowledged.
// The mutex is held from the last look at what was acknowledged meanwhile to
// the rename, so no acknowledgement falls between the old and the new.
//
// What fails on the way is undone, and all is as it was: a disk that is full
// keeps no journal from being opened and replayed. A segment is left as it is
// while a replay reads it, while it is not as safe as sync promises, and when
// damage was found in it, which a person may want to look at.
//
// # When the disk fails
//
// A write or a sync that failed is never tried again on the same file: the
// kernel may have thrown away what it could not write and say that all is well
// the next time. The segment is left behind, what it held beyond the last good
// sync is appended again to another, under the same sequence numbers, and
// Append returns nil only if that went well. A disk that is full refuses with
// [journal.ErrFull], or blocks ([WhenFull]); what was accepted stays, can be
// replayed and acknowledged, and appending goes on when there is room.
//
// # Damage
//
// Opening a journal reads every byte of it. Where there is no frame, or one
// whose checksum is wrong, the bytes go to a quarantine file with a text beside
// it (position, reason, missing entries), [Journal.Health] says so, and the
// search goes on behind them: every entry that is intact is replayed. A bad
// end of the segment that was written last is no damage, since an append that
// was cut was never promised; it goes to quarantine all the same. A file of
// which nothing is understood is left alone. Nothing of this is an error of
// Open: a service with a damaged journal starts.
//
// # Looking without touching
//
// [Inspect], and the [View] beneath it, read a directory as Open would and
// change no byte of it: how many entries are live, how old the oldest is, what
// is damaged. They are refused while a process holds the directory, with its
// number in the error ([HeldError]); [HeldBy] asks that alone. The process itself
// asks [Directory.Inspect].
//
// # Concurrency
//
// Appends to one journal take turns; the turn is a copy and a checksum long.
// With sync: always they leave their entries to a goroutine that writes and
// forces all that have gathered. With sync: <interval> a goroutine forces in
// the background. Others live only while they make or remove a segment. No lock
// is held while waiting for room or for the disk, except to appends while a
// failed segment is replaced, and for the rename of a compaction.
//
// # Stopping
//
// [Directory.Close] closes its journals: calls that wait for room return
// [journal.ErrClosed], those that wait for the disk get their answer; the
// active segment is sealed, and forced unless sync is process. Segments that
// hold nothing are removed. A process that dies instead leaves all as it is;
// the lock dies with it.
//
// # Tuning
//
// SegmentBytes is what a journal takes on the disk at rest, once or twice, and
// what a replay holds in memory; a compaction holds twice that. Small segments are given back sooner, large
// ones are changed less often. Whoever has many entries at hand should append
// them together: an Append of a thousand costs a tenth per entry where each is
// forced.
//
// The first lap through the files is the dearest: for every page that is met
// for the first time the system finds memory and a place on the disk, which
// takes longer than to write the sixteen items that go there. So segments are
// small where that costs nothing (2 MiB with sync: process), the next one is
// asked for when a quarter of one is used, and on Linux its pages are brought in
// by the goroutine that makes it.
//
// # Testing
//
// A temporary directory will do; [SyncProcess] needs no time. Without a disk:
// journaltest.NewMemory.
package filejournal
