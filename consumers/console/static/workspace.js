// The workspace: the Umm al-Qura date beside a date that is typed, and pages that follow a verdict or an upload. Without
// this file the server says the date with the next page, and waiting pages load themselves again.
"use strict";

const umAlQura = new Intl.DateTimeFormat(document.documentElement.lang === "ar" ? "ar-SA-u-ca-islamic-umalqura-nu-latn" : "en-GB-u-ca-islamic-umalqura",
  { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

document.addEventListener("input", (event) => {
  const beside = event.target.dataset?.hijri && document.getElementById(event.target.dataset.hijri);
  if (!beside) return;
  const day = /^\d{4}-\d{2}-\d{2}$/.test(event.target.value) ? new Date(event.target.value) : NaN;
  beside.textContent = isNaN(day) ? "" : umAlQura.format(day);
});

async function follow() {
  const waiting = document.querySelector("main [data-waiting]");
  if (!waiting) return;
  const asked = Number(waiting.dataset.waiting);
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.redirected) { location.reload(); return; }
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const from = document.getElementById("main"), to = page.getElementById("main");
      if (to && from.innerHTML !== to.innerHTML && !from.querySelector("input:focus, select:focus, textarea:focus")) {
        from.replaceChildren(...to.childNodes);
        document.title = page.title;
      }
    }
  } catch { /* away for now: the page asks again */ }
  setTimeout(follow, asked);
}

setTimeout(follow, Number(document.querySelector("main [data-waiting]")?.dataset.waiting ?? 0));
