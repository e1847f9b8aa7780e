// Verifies proofs of log entries in the browser: SHA-256 leaf and inclusion path (RFC 6962), the signed checkpoint
// (C2SP note, Ed25519) under the key that the page pins or one that signed rotations connect with it, and that the log
// continues the checkpoint kept in this browser. What cannot be checked is said; nothing is taken for correct, and
// a log of another name, whose key this page does not have, is not called wrong.
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

// Name, key id and signature of each line of a note.
function signatureLines(lines) {
  return lines.split("\n").flatMap((line) => {
    const match = /^— ([^\s+]+) ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(line);
    const blob = match && bytes(match[2]);
    return match ? [{ name: match[1], id: hex(blob.slice(0, 4)), signature: blob.slice(4) }] : [];
  });
}

// Origin, size and root of a checkpoint, with its signatures; null for what is none.
function parseCheckpoint(note) {
  const end = note.lastIndexOf("\n\n");
  const lines = end < 0 ? [] : note.slice(0, end).split("\n");
  if (lines.length < 3 || !/^(0|[1-9][0-9]*)$/.test(lines[1])) return null;
  const signatures = signatureLines(note.slice(end + 2));
  return { text: note.slice(0, end + 1), origin: lines[0], size: Number(lines[1]), root: lines[2], signatures };
}

// The key of a vkey; null for what is none. Throws Unsupported where the browser has no Ed25519.
async function keyOf(vkey) {
  const [name, id, ...rest] = vkey.split("+");
  if (!/^[A-Za-z0-9+/]{44}$/.test(rest.join("+"))) return null;
  const key = bytes(rest.join("+"));
  const found = (await sha256(utf8(`${name}\n`), key)).slice(0, 4);
  if (key[0] !== 1 || hex(found) !== id) return null;
  try {
    const publicKey = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
    return { vkey, name, id, publicKey, begins: 0, ends: Infinity };
  } catch { throw new Unsupported(); }
}

// Those of the keys that signed a note; null where a signature under one of them is wrong, or its key id was changed.
async function signersOf(note, keys) {
  const found = [];
  for (const line of note.signatures) {
    for (const key of keys) {
      const isNamed = line.name === key.name && line.id === key.id;
      const holds = await crypto.subtle.verify({ name: "Ed25519" }, key.publicKey, line.signature, utf8(note.text));
      if (holds !== isNamed) return null;
      if (holds) found.push(key);
    }
  }
  return found;
}

const TRANSITION = "urn:yesser:key-transition:v1";

// The keys of the log, the first one first, each with the sizes of the tree that it signs: in every rotation the old
// key names the new one, signed by both. Only the pinned key where it is none of them; null for rotations that do not
// hold.
async function historyOf(rotations, pinned) {
  const blocks = rotations ? rotations.replace(/\n$/, "").split("\n\n") : [], keys = [];
  for (let at = 0; at < blocks.length; at += 2) {
    const [kind, old, next, , size] = blocks[at].split("\n");
    if (kind !== TRANSITION || !/^(0|[1-9][0-9]*)$/.test(size) || at + 1 === blocks.length) return null;
    const both = [await keyOf(old), await keyOf(next)];
    if (both.includes(null) || both[0].name !== both[1].name) return null;
    const signers = await signersOf({ text: `${blocks[at]}\n`, signatures: signatureLines(blocks[at + 1]) }, both);
    if (!signers || !both.every((key) => signers.includes(key))) return null;
    const last = keys.length ? keys[keys.length - 1] : both[0];
    if (last.vkey !== old || Number(size) < last.begins || keys.some((key) => key.vkey === next)) return null;
    if (!keys.length) keys.push(last);
    last.ends = both[1].begins = Number(size);
    keys.push(both[1]);
  }
  return keys.some((key) => key.vkey === pinned.vkey) ? keys : [pinned];
}

// Whether a key that is in force at its size signed the checkpoint; undefined for one in the name of another log. A line
// in the log's own name under an unknown key shows nothing: anyone can write it.
async function isSigned(checkpoint, keys) {
  const signers = await signersOf(checkpoint, keys);
  if (!signers) return false;
  const { origin, size, signatures } = checkpoint;
  if (!signers.length && origin !== keys[0].name && signatures.some((line) => line.name === origin)) return undefined;
  return origin === keys[0].name && signers.some((key) => key.begins <= size && size <= key.ends);
}

// The document at a path; null where there is none, undefined where it could not be had now.
async function ask(path) {
  try {
    const answer = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (answer.status === 404) return null;
    return answer.ok && !answer.redirected ? await answer.json() : undefined;
  } catch { return undefined; }
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
    const pinned = await keyOf(vkey);
    found.keys = pinned && await historyOf(proof.rotations, pinned);
    if (pinned) found.signature = Boolean(checkpoint && found.keys) && await isSigned(checkpoint, found.keys);
  } catch (error) { if (!(error instanceof Unsupported)) throw error; found.unsupported = true; }
  return found;
}

// The newest checkpoint that this browser kept under a key of the log; logs of one name without a common key are others.
function keptOf(keys) {
  const found = keys.map((key) => JSON.parse(localStorage.getItem(placeOf(key.vkey)))).filter(Boolean);
  return found.reduce((newest, kept) => (newest && newest.size >= kept.size ? newest : kept), null);
}
const placeOf = (vkey) => `yesser-checkpoint ${vkey}`;

// Compares with the checkpoint that this browser kept, and keeps the newer one. "first" where it kept none.
async function compareWithKept(checkpoint, keys, vkey) {
  let kept;
  try { kept = keptOf(keys); } catch { return undefined; }
  let holds = "first";
  if (kept) {
    const [old, next] = kept.size <= checkpoint.size ? [kept, checkpoint] : [checkpoint, kept];
    const proof = old.size === next.size ? { path: [] } : await ask(`/v1/consistency/${old.size}/${next.size}`);
    if (!proof) return proof === null && kept.size > checkpoint.size ? "back" : undefined;
    holds = await continues(old, next, proof.path);
  }
  if (holds && !(kept && kept.size > checkpoint.size)) try {
    localStorage.setItem(placeOf(vkey), JSON.stringify({ size: checkpoint.size, root: checkpoint.root }));
  } catch { return undefined; }
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
  const isOther = words.vkey && found.signature === undefined;
  const key = found.signature === false ? `${words.notSigned} ${words.vkey}` : words.vkey || words.noKey;
  say("signature", found.signature, found.unsupported ? words.noEd25519 : isOther ? words.otherKey : key);
  if (found.signature && found.path) {
    const kept = await compareWithKept(found.checkpoint, found.keys, words.vkey);
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
