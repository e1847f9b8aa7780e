// Live pages: on news of the log the page loads itself again and replaces its main part. Without this file every page
// reads and every form works.
"use strict";

const liveAt = document.body.dataset.live;
const state = document.getElementById("live-state");
let loading = false;
let again = false;

async function refresh() {
  // What somebody is typing or has opened stays: forms are not replaced under their hands.
  if (document.querySelector("main form :focus, main dialog[open]")) { again = true; return; }
  if (loading) { again = true; return; }
  loading = true;
  try {
    const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
    if (answer.status === 429) setTimeout(refresh, 1000 * (Number(answer.headers.get("Retry-After")) + Math.random()));
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const from = document.getElementById("main"), to = page.getElementById("main");
    if (to && from.innerHTML !== to.innerHTML) replace(from, to);
  } catch { /* the connection's own events say that it is lost */ } finally {
    loading = false;
    if (again) { again = false; setTimeout(refresh, 300); }
  }
}

function replace(from, to) {
  const focused = document.activeElement && from.contains(document.activeElement) ? document.activeElement.id : "";
  const opened = [...from.querySelectorAll("details[open]")].map((one) => one.id).filter(Boolean);
  const before = new Map([...from.querySelectorAll("[id]")].map((one) => [one.id, one.textContent]));
  from.replaceChildren(...to.childNodes);
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  for (const one of from.querySelectorAll("[id]"))
    if (before.has(one.id) && before.get(one.id) !== one.textContent && !one.querySelector("[id]")) one.classList.add("changed");
  if (focused) document.getElementById(focused)?.focus();
  document.dispatchEvent(new CustomEvent("replaced"));
}

const PAUSE_MS = 2000, PAUSE_MS_MAX = 60000;
let pause = PAUSE_MS;
let lost = false;

function listen() {
  const news = new EventSource("/live");
  news.addEventListener("open", () => {
    state.textContent = state.dataset.liveText;
    pause = PAUSE_MS;
    if (lost) { lost = false; refresh(); }
  });
  news.addEventListener("position", refresh);
  news.addEventListener("error", () => {
    if (!lost) state.textContent = `${state.dataset.lostText} ${new Date().toLocaleTimeString(document.documentElement.lang)}`;
    lost = true;
    // A browser opens a broken connection again, but none that was answered with an error, such as 503.
    if (news.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, pause * (1 + Math.random()));
    pause = Math.min(2 * pause, PAUSE_MS_MAX);
  });
}

if (liveAt && "EventSource" in window) {
  listen();
  document.addEventListener("focusout", () => { if (again) { again = false; setTimeout(refresh, 300); } });
}
