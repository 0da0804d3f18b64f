// Server-sent events over fetch, which unlike EventSource can send a header.
export async function follow(url, take) {
  const response = await fetch(url, { headers: { Accept: "text/event-stream" }, cache: "no-store" });
  if (!response.ok) throw new Error(url + " answers " + response.status);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop();
    for (const message of messages) tell(message, take);
  }
}

function tell(message, take) {
  let event = "message";
  const data = [];
  for (const line of message.split("\n")) {
    if (line.startsWith("event: ")) event = line.slice(7);
    if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  if (data.length > 0) take(event, JSON.parse(data.join("\n")));
}
