// Verifies proofs of log entries in the browser: SHA-256 leaf and inclusion path (RFC 6962), the signed checkpoint
// (C2SP note, Ed25519) under the key that the page pins, and that the log continues the checkpoint kept in this browser.
// What cannot be checked is said; nothing is taken for correct.
"use strict";

class Unsupported extends Error {}
const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const hex = (data) => [...data].map((one) => one.toString(16).padStart(2, "0")).join("");
const base64 = (data) => btoa(String.fromCharCode(...data));
const utf8 = (text) => new TextEncoder().encode(text);
const half = (number) => Math.floor(number / 2);

async function sha256(...parts) {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}
const leafOf = (entry) => sha256([0], entry);
const nodeOf = (left, right) => sha256([1], left, right);

// RFC 9162 2.1.3.2: the root that a leaf and its path give; null where the path does not fit the tree.
async function rootOf(leaf, index, size, path) {
  if (!(index >= 0 && index < size)) return null;
  let at = index, last = size - 1, root = leaf;
  for (const step of path) {
    if (last === 0) return null;
    if (at % 2 || at === last) {
      root = await nodeOf(step, root);
      while (at % 2 === 0 && at) { at = half(at); last = half(last); }
    } else root = await nodeOf(root, step);
    at = half(at); last = half(last);
  }
  return last === 0 ? root : null;
}

// RFC 9162 2.1.4.2: whether the new tree continues the old one.
async function continues(old, next, path) {
  if (old.size === next.size) return old.root === next.root;
  const steps = path.map(bytes);
  let power = old.size;
  while (power % 2 === 0) power = half(power);
  if (power === 1) steps.unshift(bytes(old.root));
  if (!steps.length) return false;
  let at = old.size - 1, last = next.size - 1;
  while (at % 2) { at = half(at); last = half(last); }
  let before = steps[0], after = steps[0];
  for (const step of steps.slice(1)) {
    if (last === 0) return false;
    if (at % 2 || at === last) {
      before = await nodeOf(step, before); after = await nodeOf(step, after);
      while (at % 2 === 0 && at) { at = half(at); last = half(last); }
    } else after = await nodeOf(after, step);
    at = half(at); last = half(last);
  }
  return last === 0 && base64(before) === old.root && base64(after) === next.root;
}

// Origin, size and root of a checkpoint, with its signature lines; null for what is none.
function parseCheckpoint(note) {
  const end = note.lastIndexOf("\n\n");
  const lines = end < 0 ? [] : note.slice(0, end).split("\n");
  if (lines.length < 3 || !/^(0|[1-9][0-9]*)$/.test(lines[1])) return null;
  return { text: note.slice(0, end + 1), origin: lines[0], size: Number(lines[1]), root: lines[2], signatures: note.slice(end + 2).split("\n") };
}

// Whether the key signed the checkpoint. Throws Unsupported where the browser has no Ed25519.
async function isSigned(checkpoint, vkey) {
  const [name, id, ...rest] = vkey.split("+");
  const key = bytes(rest.join("+"));
  const found = (await sha256(utf8(`${name}\n`), key)).slice(0, 4);
  if (key.length !== 33 || key[0] !== 1 || hex(found) !== id || checkpoint.origin !== name) return false;
  let publicKey;
  try {
    publicKey = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
  } catch { throw new Unsupported(); }
  for (const line of checkpoint.signatures) {
    const match = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line);
    if (!match || match[1] !== name) continue;
    const blob = bytes(match[2]);
    if (hex(blob.slice(0, 4)) === id)
      return crypto.subtle.verify({ name: "Ed25519" }, publicKey, blob.slice(4), utf8(checkpoint.text));
  }
  return false;
}

async function ask(path) {
  const answer = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" } });
  return answer.ok ? answer.json() : null;
}

// The steps of one proof, by name: true, false, or undefined where a step was not checked.
async function verify(index, vkey) {
  const found = {};
  const proof = await ask(`/v1/proofs/${index}`);
  if (!proof) return found;
  const leaf = await leafOf(utf8(proof.entry)), checkpoint = parseCheckpoint(proof.checkpoint);
  found.hash = hex(leaf);
  found.leaf = base64(leaf) === proof.leaf;
  const root = checkpoint && await rootOf(leaf, index, checkpoint.size, proof.path.map(bytes));
  found.path = Boolean(root) && base64(root) === checkpoint.root;
  found.checkpoint = checkpoint;
  if (vkey) try {
    found.signature = Boolean(checkpoint) && await isSigned(checkpoint, vkey);
  } catch (error) { if (!(error instanceof Unsupported)) throw error; found.unsupported = true; }
  return found;
}

// Compares with the checkpoint that this browser kept, and keeps the newer one. "first" where it kept none.
async function compareWithKept(checkpoint, vkey) {
  const place = `yesser-checkpoint ${vkey}`;
  let kept;
  try { kept = JSON.parse(localStorage.getItem(place)); } catch { return undefined; }
  let holds = "first";
  if (kept) {
    const [old, next] = kept.size <= checkpoint.size ? [kept, checkpoint] : [checkpoint, kept];
    const proof = old.size === next.size ? { path: [] } : await ask(`/v1/consistency/${old.size}/${next.size}`);
    if (!proof) return kept.size > checkpoint.size ? "back" : undefined;
    holds = await continues(old, next, proof.path);
  }
  if (holds && !(kept && kept.size > checkpoint.size))
    localStorage.setItem(place, JSON.stringify({ size: checkpoint.size, root: checkpoint.root }));
  return holds;
}

function mark(tag, state, words) {
  tag.className = `tag tag-${state === true ? "good" : state === false ? "bad" : "quiet"}`;
  tag.textContent = state === true ? words.good : state === false ? words.bad : words.open;
}

function summary(states) {
  return states.includes(false) ? "someBad" : states.every((state) => state === true) ? "allGood" : "someOpen";
}

async function verifyEntry(box) {
  const words = box.dataset, said = box.querySelector("[data-summary]"), states = [];
  const say = (name, state, detail = "") => {
    const line = box.querySelector(`[data-step="${name}"]`);
    mark(line.querySelector(".tag"), state, words);
    line.querySelector("bdi").textContent = detail;
    states.push(state);
  };
  if (!window.crypto || !crypto.subtle) { said.textContent = words.noCrypto; return; }
  const found = await verify(Number(words.index), words.vkey);
  if (!found.hash) { said.textContent = words.noProof; return; }
  say("leaf", found.leaf && found.hash === words.leaf, found.hash);
  say("path", found.path, found.checkpoint ? found.checkpoint.root : "");
  say("signature", found.signature, found.unsupported ? words.noEd25519 : words.vkey || words.noKey);
  if (found.signature && found.path) {
    const kept = await compareWithKept(found.checkpoint, words.vkey);
    if (kept === "back") say("consistency", false, words.wentBack);
    else if (kept === "first") {
      say("consistency", undefined, words.firstSeen);
      states.pop(); // there was nothing to compare with
      box.querySelector('[data-step="consistency"] .tag').textContent = words.first;
    }
    else say("consistency", kept);
  } else say("consistency", undefined);
  const kind = summary(states);
  said.textContent = words[kind];
  box.dataset.state = kind;
  if (kind === "someBad") { box.classList.add("notice-bad"); said.setAttribute("role", "alert"); }
  if (kind === "allGood") box.classList.add("notice-good");
}

async function verifyRows(state) {
  const words = state.dataset, states = [];
  if (!window.crypto || !crypto.subtle) { state.textContent = words.someOpen; return; }
  for (const cell of document.querySelectorAll("[data-proof]")) {
    const found = await verify(Number(cell.dataset.proof), words.vkey);
    const steps = [found.leaf, found.path, found.signature];
    const holds = steps.includes(false) ? false : steps.every((step) => step === true) ? true : undefined;
    mark(cell.querySelector(".tag"), holds, words);
    states.push(holds);
  }
  const kind = summary(states);
  state.textContent = words[kind];
  words.state = kind;
  state.className = kind === "someBad" ? "notice notice-bad" : kind === "allGood" ? "notice notice-good" : "notice";
}

const entry = document.getElementById("verification"), rows = document.getElementById("rows-state");
if (entry) verifyEntry(entry);
if (rows) verifyRows(rows);
