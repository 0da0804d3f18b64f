// Package management serves a handler to those who run a service: on a port of
// its own, or at a unix socket, and to nobody else.
//
//	srv, err := management.New(management.Config{Address: "127.0.0.1:9988"}, handler)
//	err = srv.Start(ctx)
//	…
//	err = srv.Stop(ctx)
//
// # Who may what
//
// A request passes four doors, and the first that is shut answers:
//
//	Host      403  unless it is a loopback name, the address that is configured,
//	               one of Config.Hosts, or the address the connection came to:
//	               a page whose name was pointed at this machine (DNS rebinding)
//	               does not know such a name. At the socket any Host will do.
//	Origin    403  for "null" and for every other site's, whatever the method,
//	               and where Sec-Fetch-Site tells of another site; a link that a
//	               person follows is let in. Writes pass
//	               [http.CrossOriginProtection] too.
//	asker     401  unless it is somebody trusted, or it reads what is open.
//	               403 where there is no token that could be shown.
//	size      413  for a body above 1 MiB.
//
// Trusted is who shows the token (Authorization: Bearer, compared in constant
// time), and who shows none and is on this machine: a peer with a loopback
// address, or at the socket, whose file only its owner may open. What a proxy
// has forwarded (Forwarded, X-Forwarded-For, X-Real-Ip) comes from elsewhere
// and needs the token. Who shows a wrong token, or several, is not trusted, wherever
// it is.
//
// Open, for GET and HEAD, is what [WithOpen] says: health, as load balancers
// have no token. A handler that wants to say more to the trusted asks [Trusted].
// An address that other machines reach refuses the start without a token. There
// are no CORS headers, so that no other page reads an answer.
//
// # Stopping
//
//	Start ──▶ serving ──▶ Stop: contexts end ─ time to say goodbye ─ all is cut ─▶ stopped
//
// There is no drain: work is not accepted here. Stop ends the contexts of all
// requests, with [ErrStopped] as their cause. Connections that never say a word
// and requests that are said by half are cut after 50 ms, what a handler still
// works at after half a second, all of them when its own context ends. Streams
// and slow clients hold nothing.
//
// # Limits
//
// A header is 64 KiB at most and is read within 5 s, the whole request within
// 30 s; a connection is silent for a minute at most, and of more than 512 at a
// time the new ones are closed. Each MiB of an answer must
// be taken within 10 s; there is no limit to the whole, so that streams and
// profiles last. There is no TLS: across a network, put what speaks it in
// front, with the token.
//
// # Concurrency
//
// Everything is safe for concurrent use. [New] starts no goroutine and opens
// nothing. [Server.Start] has one goroutine for each of port and socket, net/http
// one for each connection; [Server.Stop] waits for them, but not for a handler
// that heeds neither its context nor its connection.
//
// # Testing
//
// Listen on "127.0.0.1:0" and ask [Server.Addr]. [Guard] alone needs no port.
package management
