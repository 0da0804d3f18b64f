// Package archtest is the picture of the repository as a test: which room may
// import which, and what must stay out of it. There is nothing to import here.
//
//	examples ─▶ app, modules, module rooms, cores, lifecycle, config, intake
//	modules  ─▶ module rooms, cores, lifecycle, config, intake, journal, actuator
//	app      ─▶ lifecycle
//	httpmodule, poolmodule, batchmodule ─▶ lifecycle, each its own core
//	pool, batch ─▶ intake, journal        server, lifecycle ─▶ intake
//	actuator ─▶ lifecycle, intake
//	intake, config, journal, actuator/management ─▶ nothing of ours
//
// A new room is drawn in picture_test.go first.
package archtest
