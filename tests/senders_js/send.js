// Sends events with the CloudEvents SDK for JavaScript. In: {"address", "token", "events": {mode: [event, …]}} on standard
// input. Out: [{"mode", "status", "body"}, …], one for each request, in order.
"use strict";

const { CloudEvent, HTTP } = require("cloudevents");
const { text } = require("node:stream/consumers");

// The SDK has no batch for sending: a batch is an array of what it makes in structured mode.
function messages(mode, events) {
  const made = events.map((event) => new CloudEvent(event));
  if (mode === "binary") return made.map((event) => HTTP.binary(event));
  const structured = made.map((event) => HTTP.structured(event));
  if (mode === "structured") return structured;
  const body = `[${structured.map((message) => message.body).join(",")}]`;
  return [{ headers: { "content-type": "application/cloudevents-batch+json" }, body }];
}

async function main() {
  const { address, token, events } = JSON.parse(await text(process.stdin));
  const answers = [];
  for (const [mode, list] of Object.entries(events)) {
    for (const { headers, body } of messages(mode, list)) {
      const answer = await fetch(`${address}/v1/events`, {
        method: "POST",
        headers: { ...headers, authorization: `Bearer ${token}` },
        body,
      });
      answers.push({ mode, status: answer.status, body: await answer.text() });
    }
  }
  process.stdout.write(JSON.stringify(answers));
}

main();
