// Package dashboard is a page for those who run a service: what it does now,
// what is inside, and the knobs to steer it. It is one page of HTML with a style
// and a few ES modules, embedded, with no build step and nothing from elsewhere.
//
//	d, err := dashboard.New(dashboard.Config{})
//	mux.Handle("/", d)                              // and the actuator below /actuator
//
// Section "management" of package modules serves it at "/" of the management
// port, unless management.dashboard is false.
//
// # What it is made of
//
//	assets/page.html   the page, a html/template of [Config]
//	assets/style.css   light and dark, down to 320 px
//	assets/app.js      the module that the page loads, which imports the others
//
// The page knows no component: it shows what the actuator's GET /feed tells, and
// changes what the endpoints in its first message say can be changed. An endpoint
// that is turned off has no page, and where the actuator is read-only nothing can
// be pressed.
//
// # Who may see it
//
// The files are the same in every service and say nothing of this one, so they
// may be served to anybody who reaches the port; [Dashboard.Serves] tells the
// guard which paths they have. What they show comes from the actuator, which is
// guarded: answered with 401 the page asks for the token, keeps it in the
// sessionStorage of its tab, and sends it as a header. That is why the feed is
// read with fetch: an EventSource can send none.
//
// Its Content-Security-Policy allows its own origin and nothing else. There is
// no inline script and no inline style, so a text of a component that reached
// the page as HTML would still run nothing.
//
// # Cost
//
// All of it is at most 80 KB compressed, which a test sees to. It is compressed
// once per process; a browser that has it asks with its ETag and gets 304. The
// page itself is never stored.
//
// # Concurrency, stopping
//
// Everything is safe for concurrent use. There is no goroutine and nothing to
// stop.
//
// # Testing
//
// New needs nothing. Module browsertest beside this file drives the page with a
// real Chromium, against a real service.
package dashboard
