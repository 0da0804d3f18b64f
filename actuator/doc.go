// Package actuator shows a running application over HTTP, and steers it: its
// components with their health, statistics, ledgers and knobs, its metrics,
// its build. It is what Spring Boot calls an actuator, with the same paths,
// media type and JSON shapes, so that Spring Boot Admin and IDE dashboards can
// read it.
//
// [New] makes a plain [http.Handler] over a [lifecycle.Conductor]. It knows no
// kind of component: whatever registers a [lifecycle.Panel] appears, also one
// of your own. Section "management" of package modules serves it on a port of
// its own, guarded.
//
//	request ─▶ limits ─▶ path and method ─▶ endpoint ─▶ asks the Conductor ─▶ panels
//	            414         404, 405          │          and the gates
//	                        (Allow)           ▼
//	                                     JSON, masked
//
// # Endpoints
//
// [Actuator.Table] draws all endpoints, [Actuator.Endpoints] is the list for
// programs; modules/ENDPOINTS.md is the table of the standard set. What kinds of
// components there are decides what lists there are: a component of the kind
// "pool" is found at /actuator/pools. A kind whose list would have the name of
// another endpoint is found at /actuator/components alone.
//
// # Answers
//
// JSON comes as application/vnd.spring-boot.actuator.v3+json, or as
// application/json to those who ask for that; who accepts neither gets 406. A
// request that cannot be served is answered with a problem of RFC 9457 whose
// detail says what to do. Values that are not known for a query key get 400;
// keys that are not known are ignored, but where something is changed: there they
// get 400 too, so that "?dryrun=true" is not taken for the real thing.
//
// /openapi.json describes all that is on as an OpenAPI 3.1 document, endpoints
// of [WithEndpoints] as well, with schemas that are inferred from the types of
// their answers. What a component says of itself is anything there.
//
// # Who may see what
//
// This package serves whoever reaches it. Who that is, is for the server in
// front to say, which asks [Actuator.Match] what a request is for: reading
// health ([Endpoint].Open), reading anything else, or a change
// ([Endpoint].Write). With [WithAuthorized], details of health are kept from
// strangers.
//
// Whatever a component says passes through a mask: the value of a key that
// sounds like a secret, such as "api_key", and what looks like one in a text (a
// password in a URL, a header, a private key, a JSON Web Token) are replaced by
// "******". It is a net, not a proof: a secret that stands alone under a harmless
// name is not known as one. Config.Show names keys that are no secret.
//
// # Changing something
//
// PATCH of a component's knobs goes through [lifecycle.Conductor.Turn], as every
// change does: all of it or none, audited, refused with 412 when If-Match is
// stale, with 422 and every wrong knob by its name, with 409 when it only needs
// a restart. dryRun shows the difference; with ttl it is taken back by itself.
//
//	curl -X PATCH -H 'Content-Type: application/json' -H 'If-Match: "3"' \
//	    -d '{"workers": 16}' 'localhost:9988/actuator/pools/pool:sms/knobs?ttl=10m'
//
// With persist it is kept for the next start too. POST /audit/{seq}/rollback takes
// one change back, with 412 when somebody has turned one of its knobs since and
// 409 when there is nothing to take back; with dryRun it shows the difference.
//
// What a component can be told to do is at its /actions, and goes through
// [lifecycle.Conductor.Act], with the statuses of knobs:
//
//	curl -X POST -H 'Content-Type: application/json' -d '{}' \
//	    'localhost:9988/actuator/batchers/batch:orders/actions/flush?timeout=30s'
//
// A logger's level ([WithLoggers]) is such a knob, in Spring's words.
// Config.ReadOnly refuses all changes with 403.
//
// POST /drain takes the application out of service and stops nothing of it, DELETE
// /drain takes that back ([lifecycle.Conductor.Drain]): both are audited, and get
// 409 when the stop has begun. They are on by default, as knobs are: they are
// changes, which the server in front lets through for few, and what they do is
// seen and taken back. A drain pauses every gate: an actuator that is a handler
// of a server with a gate (package httpmodule) is not heard any more, and cannot
// be undrained. One on a port of its own is.
// POST /shutdown, which begins the graceful stop and has no way back, is an
// endpoint of its own and off by default.
//
// # Watching a drain
//
// GET /drain answers 200 when a drain or a stop has begun and nothing is inside,
// 503 while one goes on and something is, and 202 when nobody has asked for one. A
// preStop hook drains, and asks until the answer is anything but 503:
//
//	curl -s -X POST localhost:9988/actuator/drain
//	while [ "$(curl -s -o /dev/null -w '%{http_code}' localhost:9988/actuator/drain)" = 503 ]; do sleep 1; done
//
// /events with Accept: text/event-stream is a stream of what happens, to the end
// of the stop. A client that comes back with Last-Event-ID goes on after it; what
// is not kept any more is told as an event "missed", and so is another process,
// whose ids are others. A stream is no work: it holds no stop.
//
// /feed is what a dashboard lives on: a picture of all components every second,
// and sooner when something has happened, with the events, to the receipt. All
// viewers share one look at the components, which is taken while there is one,
// and encoded once; the first picture is whole, the next have what has changed.
// Who reads slowly misses pictures and then gets a whole one; nobody waits for
// it. Health is asked every 5 s at most and never waited for.
//
// /history is for who comes during an incident: the last 15 minutes of every
// ledger, gauge and counter, a sample each 5 s. It is recorded from
// [Actuator.Start] on, in memory: 0.1 KB for a number that stands still, 0.8 KB
// for one that moves, and no more than Config.MaxSeries of them. A thousand pools
// are 21,000 numbers and 16 ms of one processor each 5 s.
//
// # Concurrency and cost
//
// All methods may be called by anybody at any time. But for the history nothing
// runs unless somebody asks: metrics are read from panels and ledgers at scrape
// time. A health check or an inspection is called once for all who ask at the
// same time, with a timeout, and its answer holds for a second, so that it
// cannot be used for a flood. One that hangs costs its goroutine and no more: it
// is not called again until it has returned. Scrapes at the same time share one
// look. A panel that panics gives its own part of the answer away and nothing
// else.
//
// # Metrics
//
// A metric of a panel is called lastcall_<kind>_<name>, a counter's name ends
// in _total, and the label component says whose it is. Ledgers are
// lastcall_gate_<column>_total and lastcall_gate_inside, so that both equations
// can be checked in the time series. A metric that cannot be told (a name that
// is none, one that is told twice, buckets that are no distribution) is left
// out and counted in lastcall_panel_bad_metrics_total; a panic in
// lastcall_panel_panics_total. /metrics tells the same numbers, summed over
// labels, in Spring's shape.
//
// # Stopping
//
// Without a start it answers all the same, but records no history. It answers
// while the application starts, drains, stops, and afterwards, as long as its
// server does. [Actuator.Stop] ends what is endless and waits for checks that
// still run.
//
// # Testing
//
// Take an application under fxtest with lifecycle.Module, and give New its
// Conductor; then use net/http/httptest.
package actuator
