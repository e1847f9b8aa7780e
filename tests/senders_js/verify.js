// Reads {secret, deliveries: [{headers, body}]} from stdin; prints for each whether the library verifies it.
const { Webhook } = require("standardwebhooks");

let input = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (part) => (input += part));
process.stdin.on("end", () => {
  const { secret, deliveries } = JSON.parse(input);
  const webhook = new Webhook(secret);
  const verdicts = deliveries.map(({ headers, body }) => {
    try {
      webhook.verify(body, headers);
      return "verified";
    } catch (error) {
      return error.message;
    }
  });
  process.stdout.write(JSON.stringify(verdicts));
});
