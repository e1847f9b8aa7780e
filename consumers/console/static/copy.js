// Buttons that copy a text or print the page. Without this file both are out of sight.
"use strict";

document.documentElement.classList.add("has-script");

/** Copy as the keys Ctrl and C do: also without https, where a page has no `navigator.clipboard`. */
function copied(text) {
  const plainly = (event) => {
    event.clipboardData.setData("text/plain", text.textContent);
    event.preventDefault();
  };
  getSelection().selectAllChildren(text);
  document.addEventListener("copy", plainly);
  try { return document.execCommand("copy"); } finally { document.removeEventListener("copy", plainly); }
}

let last = null;

/** Say on the button that its text was copied. A live page draws its buttons again, also right after the copying. */
function confirmCopied() {
  const button = last && document.querySelector(`[data-copy="${last}"]`);
  if (!button) return;
  button.textContent = button.dataset.copied;
  button.setAttribute("aria-live", "polite");
}

document.addEventListener("replaced", confirmCopied);
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy], [data-print]");
  if (!button) return;
  if ("print" in button.dataset) { window.print(); return; }
  const text = document.getElementById(button.dataset.copy);
  try {
    if (!copied(text)) await navigator.clipboard.writeText(text.textContent);
  } catch { return; /* the text stays selected */ }
  getSelection().removeAllRanges();
  last = button.dataset.copy;
  confirmCopied();
});
