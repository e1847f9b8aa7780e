// Runs verify.js as a page's browser does, without a page. Standard input: the script, and for each visit the answers of
// the server and what the browser keeps. Standard output: what it found at each visit.
"use strict";

const vm = require("node:vm");
const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

async function visited({ index, vkey, kept: before, answers }) {
  const kept = new Map(Object.entries(before));
  const page = {
    crypto: globalThis.crypto, atob, btoa, TextEncoder, Uint8Array,
    document: { getElementById: () => null },
    localStorage: { getItem: (place) => kept.get(place) ?? null, setItem: (place, text) => kept.set(place, text) },
    fetch: async (path) => {
      const answer = answers[path];
      if (answer === undefined) throw new TypeError("no network");
      const status = typeof answer === "number" ? answer : 200;
      return { ok: status === 200, status, redirected: false, json: async () => answer };
    },
  };
  vm.createContext(page);
  vm.runInContext(given.script, page);
  const found = await page.verify(index, vkey);
  const holds = found.signature && found.path ? await page.compareWithKept(found.checkpoint, found.keys, vkey) : undefined;
  const steps = [found.leaf, found.path, found.signature].map((step) => step ?? null);
  const summary = page.summary(steps.map((step) => step ?? undefined));
  return { steps, summary, consistency: holds ?? null, kept: Object.fromEntries(kept) };
}

(async () => {
  const found = [];
  for (const visit of given.visits) found.push(await visited(visit));
  console.log(JSON.stringify(found));
})();
