// The feed: one long answer of server-sent events, read with fetch because an
// EventSource cannot show a token. When it ends it is asked for again, every
// second, until this process or the next one answers.

import { ask, can, Problem } from "./api.js";
import { begin, picture, event, earlier, receipt, lost, state, history, changed } from "./store.js";
import { stale } from "./resource.js";

const AGAIN = 1000; // ms between two tries
const SILENCE = 15000; // ms without a word, after which nobody is there
let wake = () => {};

// retry ends the pause between two tries: the token is there, say.
export const retry = () => wake();

export async function follow() {
  for (;;) {
    await read().catch(failed);
    lost();
    await new Promise((go) => {
      wake = go;
      if (!state.locked) setTimeout(go, AGAIN);
    });
  }
}

function failed(err) {
  state.failure = err instanceof Problem ? err : null;
}

async function read() {
  const stop = new AbortController();
  let timer = setTimeout(() => stop.abort(), SILENCE);
  try {
    const answer = await ask({ path: "/feed" }, { raw: true, signal: stop.signal, headers: { Accept: "text/event-stream" } });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(), SILENCE);
      const messages = (rest + value).split("\n\n");
      rest = messages.pop();
      messages.forEach(take);
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

const takers = { hello, picture, event, receipt };

function take(message) {
  let name = "message";
  const data = [];
  for (const line of message.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  if (takers[name] && data.length) takers[name](JSON.parse(data.join("\n")));
}

function hello(message) {
  state.failure = null;
  const known = state.process;
  begin(message);
  if (message.process === known) return; // the same process, whose legend has grown
  stale();
  if (can("GET", "/history")) prime("");
  if (can("GET", "/events")) recall();
}

// recall asks for what happened before this page was opened.
async function recall() {
  const told = await ask({ path: "/events", query: { limit: "300" } }).catch(() => null); // without, the list begins now
  if (told) earlier(told.events);
}

// prime asks for what the server has kept of one component, or of the few of all
// that it tells without being asked for one.
export async function prime(component) {
  try {
    const kept = await ask({ path: "/history", query: { component } });
    if (kept.process && kept.process !== state.process) return;
    if (history.end === 0) history.advance(Math.floor(Date.now() / 1000));
    for (const [name, numbers] of Object.entries(kept.components || {})) {
      for (const [number, values] of Object.entries(numbers)) history.prime(name, number, kept.from, kept.step_ms, values);
    }
    changed();
  } catch (err) {
    if (!(err instanceof Problem) && !(err instanceof TypeError)) throw err; // charts begin empty, that is all
  }
}
