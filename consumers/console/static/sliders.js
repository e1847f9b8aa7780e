// Sliders beside number fields, and the result of what-if without loading the page again. Amounts are whole numbers
// (BigInt): basis points and riyals. Without this file the fields and the button do the same.
"use strict";

const form = document.getElementById("terms-form");
let waiting = 0;
let asked = 0;

function textOf(slider) {
  const value = BigInt(slider.value);
  if (slider.dataset.unit !== "basis-points") return String(value);
  const rest = String(value % 100n).padStart(2, "0").replace(/0+$/, "");
  return rest ? `${value / 100n}.${rest}` : String(value / 100n);
}

function placeOf(slider, text) {
  const found = /^\s*(\d{1,13})(?:\.(\d{1,2}))?\s*$/.exec(text);
  if (!found) return null;
  const whole = BigInt(found[1]);
  return String(slider.dataset.unit === "basis-points" ? whole * 100n + BigInt((found[2] ?? "").padEnd(2, "0") || 0) : whole);
}

async function calculate() {
  const number = ++asked;
  const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
  const answer = await fetch(address, { credentials: "same-origin" }).catch(() => null);
  if (number !== asked || answer === null || answer.redirected || (!answer.ok && answer.status !== 422)) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["what-if", "result"]) document.getElementById(id).replaceWith(page.getElementById(id));
  history.replaceState(null, "", address);
}

function later() {
  if (!form) return;
  clearTimeout(waiting);
  waiting = setTimeout(calculate, 400);
}

for (const slider of document.querySelectorAll("input[type=range][data-for]")) {
  const field = document.getElementById(slider.dataset.for);
  slider.hidden = false;
  slider.addEventListener("input", () => { field.value = textOf(slider); later(); });
  field.addEventListener("input", () => { const place = placeOf(slider, field.value); if (place !== null) slider.value = place; later(); });
}
form?.querySelector("input[type=checkbox]").addEventListener("change", later);
