// The slider through the log's entries: loads the plan as of an index while it moves. Without this file the form and
// the links beside it do the same.
"use strict";

(() => {
const LOAD_AFTER_MS = 150;
const RETRY_AFTER_MS = 500;
const slider = () => document.getElementById("slider");
let timer = 0;
let loading = null;

function show() {
  const field = document.getElementById("slider-field");
  if (field) field.hidden = false;
}

async function load(index, isNewest) {
  loading?.abort();
  loading = new AbortController();
  const address = isNewest ? "/plan" : `/plan?as_of_index=${index}`;
  const figures = document.getElementById("plan-figures");
  figures.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { credentials: "same-origin", signal: loading.signal });
    if (answer.status === 429 || answer.status === 503) {  // the state before this one is still being computed
      timer = setTimeout(load, RETRY_AFTER_MS, index, isNewest);
      return;
    }
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["plan-caption", "plan-steps", "plan-figures"]) document.getElementById(id).replaceWith(page.getElementById(id));
    document.getElementById("as_of_index").value = isNewest ? "" : index;
    history.replaceState(null, "", address);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  } finally {
    document.getElementById("plan-figures").removeAttribute("aria-busy");
  }
}

document.addEventListener("input", (event) => {
  if (event.target !== slider()) return;
  const { value, max } = event.target;
  document.getElementById("as_of_index").value = value;
  clearTimeout(timer);
  timer = setTimeout(load, LOAD_AFTER_MS, value, value === max);
});
document.addEventListener("replaced", show);
show();
})();
