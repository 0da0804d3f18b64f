//go:build !linux

package filejournal_test

import "os"

func fdatasync(f *os.File) error { return f.Sync() }
