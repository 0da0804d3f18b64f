// Package alarm tells people when a component needs them. It watches what the
// panels of all components name as alarms ([lifecycle.Panel].Alarms), knows no
// word of pools or batchers, and so watches a component of your own as well.
//
//	panels ──▶ evaluate every 5 s ──▶ over the threshold, count times ──▶ raised
//	health ──▶       │                     within the period                │
//	events ──▶       │                                                 silence
//	                 ▼                                                      │
//	             Status                         one queue per receiver ◀────┘
//	                                            log │ Slack │ Lark │ ... │ yours
//
// # The words
//
// They are those of the consoles of dynamic thread pools.
//
//	threshold  from what value on it counts; that of the panel by default
//	count      so many evaluations must have been at or above it
//	period     within so long; of what grows, the growth within it is looked at
//	silence    for so long the same alarm of the same component is not told again
//	receivers  who is told
//
// One alarm of one component is in one of two states:
//
//	           count evaluations within the period
//	calm ──────────────────────────────────────────────▶ raised ──┐ told again after
//	  ▲                                                     │  ▲  │ each silence, while
//	  └─────────────────────────────────────────────────────┘  └──┘ it is over
//	   for a whole period no evaluation was over; of what
//	   grows: it has grown by less than the threshold
//
// What is raised again within the silence is not told, but counted; if it is
// still over when the silence has passed, it is told then. A resolved alarm is
// told to those who were told of it.
//
// # What is watched
//
// Besides the alarms of panels, these three have every component:
//
//	health            1 from WARNING or UNKNOWN on, 2 when it is DOWN; threshold 2
//	change            a knob was turned, or an action done: who, before, after
//	stop_over_budget  a hook took longer than it had, or the stop as a whole did
//
// A [Rule] changes what is done about some of them. Of several rules that fit,
// each field is that of the first rule that gives it:
//
//	{component: "pool:sms", alarm: capacity, threshold: 95}
//	{component: "pool:*", silence: 1h, receivers: [ops]}
//	{alarm: health, enabled: false}
//
// # The moment
//
// What a [Notice] says is what was seen when the alarm was judged: value,
// ledger and statistics are read together, before anything else is done, and
// are never read again.
//
// # Receivers
//
// Each has a bounded queue and a goroutine of its own, so that one that is dead
// delays nobody. What waits in a queue goes into one message, ten notices at
// most; a failure is tried again with growing delays; what is given up, or
// finds the queue full, is counted ([Status]) and told ([WithTrouble]). Delivery
// is at least once: after a timeout the same notice may come twice, with the
// same ID.
//
// A [Webhook] speaks to Slack, Lark (Feishu), DingTalk, WeCom or to anything that
// takes JSON. DingTalk and Lark are signed as they want it; a plain webhook with
// a secret carries
//
//	X-Lastcall-Timestamp: 1718000000
//	X-Lastcall-Signature: sha256=HEX of HMAC-SHA256(secret, timestamp + "." + body)
//
// A template of your own is a [text/template] that makes the body; see the
// directory templates for those that are shipped. Its data is a [Message]; the
// functions are json (a JSON value), clip N (at most N bytes), slack (escapes)
// and plain (takes < and > out, which some platforms read as a mention). It is
// tried when it is opened: one that makes no JSON refuses the start.
//
// The addresses of webhooks are secrets: neither errors nor Status have more of
// them than the host, also where the other side repeats them in its answer. What
// sounds like a secret in what components say is hidden before it is sent; that
// of statistics is up to [WithEncoder].
//
// # Concurrency and cost
//
// All methods may be called by anybody at any time. One goroutine evaluates; it
// asks the Stats of a component once for all alarms that are read off them
// ([lifecycle.Alarm].Of). Health checks run beside it, one at a time for each
// component, and hold up nothing. No lock is held while a component is asked.
//
// # Stopping
//
// It is to be started before the first OnStart and stopped after the receipt, as
// a [lifecycle.Witness]: so it looks through the drain too. [Watch.Flush]
// belongs into a hook of the Sink band: it evaluates once more and waits for the
// deliveries, for [Config].FlushTimeout at most. What comes after it has only
// the moment of [Watch.Stop], which cuts when its context ends. Package modules
// does all that.
//
// # Testing
//
// Give New a [Sink] that keeps what it gets. Everything is timed with package
// time, so that testing/synctest works.
package alarm
