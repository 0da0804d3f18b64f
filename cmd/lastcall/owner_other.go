//go:build !unix

package main

// ownedBy: files have the rights of their directory here, whoever makes them.
func ownedBy(string, int) error { return nil }
