// While a check of the log runs, its part of the page is loaded again each second.
"use strict";

async function follow() {
  const shown = document.getElementById("checks");
  if (!shown || !("running" in shown.dataset)) return;
  try {
    const answer = await fetch("/audit", { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.getElementById("checks");
      if (found) shown.replaceWith(document.adoptNode(found));
    }
  } catch { /* tried again below */ }
  setTimeout(follow, 1000);
}
setTimeout(follow, 1000);
