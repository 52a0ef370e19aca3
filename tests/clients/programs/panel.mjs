// The ways in which JavaScript programs call a panel. Usage: node panel.mjs MANNER URL < CALLS
// CALLS is a JSON list of objects; the answers are printed as one JSON list of [status, body].
import http from "node:http";
import { text } from "node:stream/consumers";

const [manner, url] = process.argv.slice(2);

// Most wrappers paste whatever they were given: a value that was never set becomes the word "undefined".
const pairs = (call) => Object.entries(call).map(([name, value]) => [name, String(value)]);

const post = (headers, resolve, reject) => {
  const request = http.request(url, { method: "POST", headers });
  request.on("response", async (answer) => {
    const said = await text(answer);
    resolve({ status: answer.statusCode, text: () => said });
  });
  request.on("error", reject);
  return request;
};

const ways = {
  urlsearchparams: (call) => fetch(url, { method: "POST", body: new URLSearchParams(pairs(call)) }),
  query: (call) => fetch(`${url}?${new URLSearchParams(pairs(call))}`),
  json: (call) =>
    fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(call) }),
  bearer: ({ key, ...call }) =>
    fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", Authorization: `Bearer ${key}` },
      body: JSON.stringify(call),
    }),
  formdata: (call) => {
    const form = new FormData();
    for (const [name, value] of pairs(call)) form.append(name, value);
    return fetch(url, { method: "POST", body: form });
  },
  // No library at all: lists are written as `orders[]`, and nobody thinks of a content type.
  byhand: (call) =>
    new Promise((resolve, reject) => {
      const fields = Object.entries(call).flatMap(([name, value]) =>
        ["orders", "refills"].includes(name)
          ? String(value).split(",").map((one) => `${name}[]=${encodeURIComponent(one)}`)
          : [`${name}=${encodeURIComponent(value)}`],
      );
      const body = fields.join("&");
      const headers = { "Content-Length": Buffer.byteLength(body) };
      post(headers, resolve, reject).end(body);
    }),
  // Without a length, Node sends what is written in chunks.
  chunked: (call) =>
    new Promise((resolve, reject) => {
      const request = post({}, resolve, reject);
      for (const [name, value] of pairs(call)) request.write(`${name}=${encodeURIComponent(value)}&`);
      request.end();
    }),
};

const answers = [];
for (const call of JSON.parse(await text(process.stdin))) {
  const answer = await ways[manner](call);
  answers.push([answer.status, JSON.parse(await answer.text())]);
}
console.log(JSON.stringify(answers));
