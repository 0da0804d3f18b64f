// Package filejournal keeps journals in files of its own: no server, no
// library beneath it, one directory per service.
//
//	d, err := filejournal.Open(filejournal.Config{Dir: "journal"})
//	j, err := d.Open(ctx, "pool:sms")
package filejournal
