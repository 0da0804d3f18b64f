// Package lastcall is the root of a framework for services that restart without
// losing accepted work. There is nothing in it; begin with package app, the
// front door, and package modules, the standard set:
//
//	app.Run(
//		modules.Default(),
//		poolmodule.Provide("mail", pool.Config{Workers: 4}),
//		poolmodule.Lane[string]("mail", "mail", newSender),
//		httpmodule.Handle("POST /mail/{to}", newHandler),
//	)
//
// The cores are plain Go and of use without Fx: poolmodule/pool,
// batchmodule/batch, httpmodule/server, journal. Package drill kills a program
// of yours under load and counts what became of its work.
package lastcall
