// Requests to the actuator: with the token if there is one, with problems of RFC
// 9457 as errors, and as the curl that does the same.

import { state, changed } from "./store.js";

const base = document.documentElement.dataset.base;
const TOKEN = "lastcall.token";

// Problem is an answer that is none. body is the problem's, with its members.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.error || body.title || "status " + status);
    this.status = status;
    this.body = body;
  }
}

export const token = () => sessionStorage.getItem(TOKEN) || "";

export function useToken(text) {
  if (text) sessionStorage.setItem(TOKEN, text);
  else sessionStorage.removeItem(TOKEN);
}

// can reports whether the service has an endpoint, which the feed's first message
// says. What it has not, has no page and no button.
export const can = (method, path) => state.endpoints.has(method + " " + path);

// inPath puts values where a path has its variables, as they stand in a URL.
export const inPath = (path, ...values) => path.replace(/\{[^}]*\}/g, () => encodeURIComponent(values.shift()).replaceAll("%3A", ":"));

function address({ path, query }) {
  const keys = new URLSearchParams(Object.entries(query || {}).filter(([, v]) => v !== undefined && v !== "" && v !== false));
  return base + path + (keys.size ? "?" + keys : "");
}

// ask sends a request {method, path, query, body, ifMatch} and returns the answer,
// parsed; undefined where there is none.
export async function ask(request, more = {}) {
  const headers = { Accept: "application/json", ...more.headers };
  if (token()) headers.Authorization = "Bearer " + token();
  if (request.body !== undefined) headers["Content-Type"] = "application/json";
  if (request.ifMatch) headers["If-Match"] = request.ifMatch;
  const answer = await fetch(address(request), {
    method: request.method || "GET",
    headers,
    body: request.body === undefined ? undefined : JSON.stringify(request.body),
    cache: "no-store",
    signal: more.signal,
  });
  if (answer.status === 401) {
    state.locked = true;
    changed();
  }
  // 202 and 503 of a drain are answers, not failures.
  if (!answer.ok && !(request.takes || []).includes(answer.status)) {
    throw new Problem(answer.status, await answer.json().catch(() => ({})));
  }
  if (more.raw) return answer;
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
}

const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

// curl is the request for a terminal. The token is not in it.
export function curl(request) {
  const words = ["curl"];
  if (request.method && request.method !== "GET") words.push("-X", request.method);
  if (token()) words.push("-H", '"Authorization: Bearer $TOKEN"');
  if (request.ifMatch) words.push("-H", quoted("If-Match: " + request.ifMatch));
  if (request.body !== undefined) words.push("-H", quoted("Content-Type: application/json"), "-d", quoted(JSON.stringify(request.body)));
  words.push(quoted(location.origin + address(request)));
  return words.join(" ");
}
