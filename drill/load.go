package drill

import (
	"context"
	"sync"
	"time"
)

// Answer is what the program said to a piece of work.
type Answer uint8

// The answers.
const (
	// Unknown: there was no answer, so it may have been accepted or not.
	Unknown Answer = iota
	// Accepted: the program has promised to do it.
	Accepted
	// Refused: the program has promised not to do it, or never heard of it.
	Refused
)

// String is the word for it.
func (a Answer) String() string {
	switch a {
	case Accepted:
		return "accepted"
	case Refused:
		return "refused"
	default:
		return "unknown"
	}
}

// Load is the work that the program is offered while it lives.
type Load struct {
	// Offer offers one piece of work and returns what the program answered. It
	// is called by all generators at once. The id, of letters, digits and dots,
	// must come out at the sink; it is never offered again. The context ends
	// one second after the process has.
	Offer func(ctx context.Context, child *Child, id string) Answer
	// Generators is how many offer beside each other. Default 8.
	Generators int
	// Pause is how long a generator waits after each offer. Zero: not at all;
	// then the load is what the program and the machine can bear. After
	// refusals and broken connections it waits from 1 to 32 ms in any case.
	Pause time.Duration
}

const (
	defaultGenerators = 8
	// refusedPause is how long a generator waits after a refusal, and twice as
	// long after each that follows, up to refusedPauseMax: a program that is
	// full or stopping is not shouted at.
	refusedPause    = time.Millisecond
	refusedPauseMax = 32 * time.Millisecond
	// answerPatience is how long an answer may be on its way when the process
	// is gone. Cutting it short would turn accepted work into unknown.
	answerPatience = time.Second
)

func (l Load) withDefaults() Load {
	l.Generators = orElse(l.Generators, defaultGenerators)
	return l
}

// run offers work until the child is gone, and returns when all answers are
// in.
func (l Load) run(ctx context.Context, c *Child, p *page) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var generators sync.WaitGroup
	for g := range l.Generators {
		generators.Go(func() { l.generate(ctx, c, p, g) })
	}
	<-c.gone
	cut := time.AfterFunc(answerPatience, func() { cancel(errGone) })
	generators.Wait()
	cut.Stop()
}

func (l Load) generate(ctx context.Context, c *Child, p *page, g int) {
	refused := refusedPause
	for c.isAlive() {
		i, id := p.next(g)
		answer := l.Offer(ctx, c, id)
		p.answer(g, i, answer)
		pause := l.Pause
		if answer == Accepted {
			refused = refusedPause
		} else {
			pause = max(pause, refused)
			refused = min(2*refused, refusedPauseMax)
		}
		if pause > 0 {
			c.lives(pause)
		}
	}
}
