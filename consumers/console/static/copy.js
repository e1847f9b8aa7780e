// Buttons that copy a text or print the page. Without this file both are out of sight.
"use strict";

document.documentElement.classList.add("has-script");
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy], [data-print]");
  if (!button) return;
  if ("print" in button.dataset) { window.print(); return; }
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = button.dataset.copied;
    button.setAttribute("aria-live", "polite");
  } catch { getSelection().selectAllChildren(text); /* no clipboard without https: the text is selected */ }
});
