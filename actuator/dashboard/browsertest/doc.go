// Package browsertest drives the dashboard with a real Chromium, against a real
// service: a process of its own, which is given work, signals and a successor. It
// is a module of its own, so that nobody who uses lastcall has a browser in his
// dependencies.
//
//	go test .                             skips, and says so, where there is no chromium
//	NOTHING_SKIPPED=1 go test .           fails there
//	go test . -run Screenshots -update    draws ../screenshots anew
//
// LASTCALL_CHROMIUM names another browser. Whatever a test does, it fails if the
// page has logged an error, or asked another origin for anything.
//
// Times are measured on the page's own clock and logged; what is asserted leaves
// room for a machine that has much else to do.
package browsertest
