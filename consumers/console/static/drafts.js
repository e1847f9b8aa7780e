// Drafts: what was typed into a form stays in this tab until the form has arrived. Where the session had ended, the page
// after sign-in offers to send it, to the same account only. Passwords and files are not kept, and nothing leaves the
// browser. Without this file such a form is filled in again.
"use strict";

(() => {
const PLACE = "yesser-draft";
const NOT_KEPT = /csrf|password|secret|token/i;
const { account, unsent } = document.body.dataset;

function stored() {
  try { return JSON.parse(sessionStorage.getItem(PLACE)); } catch { return null; }
}

function store(draft) {
  try { sessionStorage.setItem(PLACE, JSON.stringify(draft)); } catch { /* there is no room for it */ }
}

const discard = () => sessionStorage.removeItem(PLACE);

/** Where a form is sent. A field named `action` hides the form's own property. */
const address = (form) => new URL(form.getAttribute("action") ?? location.href, location.href);

/** The fields of a form as the browser sends them, with the button that was pressed. */
function draftOf(form, button) {
  const sent = [...new FormData(form)];
  if (button?.name) sent.push([button.name, button.value]);
  const isKept = ([name, value]) => typeof value === "string" && !NOT_KEPT.test(name);
  const isTyped = ([name, value]) => name !== "csrf" && (typeof value === "string" ? value : value.size);
  const { pathname, search } = address(form);
  return {
    account,
    page: location.pathname + location.search,
    action: pathname + search,
    fields: sent.filter(isKept),
    isWhole: sent.filter(isTyped).every(isKept),
  };
}

function offer(draft) {
  const shown = document.getElementById("draft").content.cloneNode(true);
  const form = shown.querySelector("form"), link = shown.querySelector("[data-part]"), list = shown.querySelector("dl");
  form.action = draft.action;
  for (const [name, value] of draft.fields) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    if (value) list.append(named("dt", name), named("dd", value));
  }
  link.querySelector("a").href = draft.page;
  (draft.isWhole ? link : form).remove();
  if (!list.children.length) shown.querySelector("details").remove();
  const section = shown.querySelector("section");
  shown.querySelector("[data-discard]").addEventListener("click", () => { discard(); section.remove(); });
  document.getElementById("main").before(section);
}

function named(tag, text) {
  const one = Object.assign(document.createElement(tag), { textContent: text });
  one.dir = "auto";
  return one;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("method") !== "post") return;
  if (address(form).pathname === "/sign-out") discard();
  else if (account && !form.closest("header.top")) store(draftOf(form, event.submitter));
});

const draft = stored();
if (draft && unsent !== undefined) store({ ...draft, isUnsent: draft.isUnsent = true });
if (draft && (!draft.isUnsent || (account && account !== draft.account))) discard();
else if (draft && account) offer(draft);
})();
