// The last 15 minutes, second by second, in rings of a fixed size: one per number
// that somebody may look at. A second without a value is NaN.

export const SPAN = 900;

export class History {
  end = 0; // the last second that has a place
  first = Infinity; // the first that anything is known of
  rings = new Map(); // by component, then by number
  marks = []; // {at, text}: where one process ended and the next began

  // advance makes room for a second, and for those before it that were missed.
  advance(second) {
    const from = Math.max(this.end + 1, second - SPAN + 1);
    for (let s = from; s <= second; s++) {
      for (const numbers of this.rings.values()) for (const ring of numbers.values()) ring[s % SPAN] = NaN;
    }
    this.end = Math.max(this.end, second);
    this.marks = this.marks.filter((m) => m.at > this.end - SPAN);
  }

  ring(component, number) {
    let numbers = this.rings.get(component);
    if (!numbers) this.rings.set(component, (numbers = new Map()));
    let ring = numbers.get(number);
    if (!ring) numbers.set(number, (ring = new Float64Array(SPAN).fill(NaN)));
    return ring;
  }

  put(component, number, second, value) {
    this.first = Math.min(this.first, second);
    if (second > this.end - SPAN && second <= this.end) this.ring(component, number)[second % SPAN] = value;
  }

  // prime takes in what a server has kept before anybody looked. What is there is
  // finer, and stays.
  prime(component, number, from, step, values) {
    const ring = this.ring(component, number);
    values.forEach((value, i) => {
      const second = Math.round((from + i * step) / 1000);
      if (value === null || second <= this.end - SPAN || second > this.end) return;
      this.first = Math.min(this.first, second);
      if (Number.isNaN(ring[second % SPAN])) ring[second % SPAN] = value;
    });
  }

  // age is for how many seconds something is known.
  age() {
    return Math.max(0, this.end - this.first);
  }

  keeps(component) {
    return this.rings.has(component);
  }

  forget(component) {
    this.rings.delete(component);
  }

  // last are the newest values, oldest first; undefined: nothing is known.
  last(component, number, span = SPAN) {
    const ring = this.rings.get(component)?.get(number);
    if (!ring) return undefined;
    const values = new Float64Array(span);
    for (let i = 0; i < span; i++) values[i] = ring[(this.end - span + 1 + i + SPAN) % SPAN];
    return values;
  }

  // rate is by how much a counter grew per second. Where another process began to
  // count there is none. Over a few seconds, so that it can be read.
  rate(component, number, span = SPAN, over = 5) {
    const values = this.last(component, number, span);
    if (!values) return undefined;
    const rates = new Float64Array(span).fill(NaN);
    const seen = []; // the seconds that have a value, as far back as over
    for (let i = 0; i < span; i++) {
      if (Number.isNaN(values[i])) continue;
      if (seen.length && values[i] < values[seen.at(-1)]) seen.length = 0;
      seen.push(i);
      while (seen.length > 2 && seen[1] <= i - over) seen.shift();
      if (seen.length > 1 && i - seen[0] <= 3 * over) rates[i] = (values[i] - values[seen[0]]) / (i - seen[0]);
    }
    return rates;
  }
}

// newest is the last value that is one.
export function newest(values) {
  for (let i = (values?.length || 0) - 1; i >= 0; i--) if (!Number.isNaN(values[i])) return values[i];
  return NaN;
}
