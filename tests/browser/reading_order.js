() => {
  // Dates, ranges, numbers and codes of the page whose characters are not drawn from left to right.
  const TOKEN = /(?:(?<![\u0600-\u06ff])(?:--|[-−+±#@/~]))?[0-9A-Za-z](?:[^\s\u0600-\u06ff\u2066-\u2069،؛؟«»"'()<>[\]{}|]*[0-9A-Za-z%₀₁_+*/-])?/g;
  const faults = [];
  const closed = document.querySelectorAll("details:not([open])");
  for (const one of closed) one.open = true;
  const range = document.createRange();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest("script, style, template")) continue;
    if (/[\u202a-\u202e]/.test(node.data)) continue;  // what somebody wrote to be drawn in another order
    for (const found of node.data.matchAll(TOKEN)) {
      let last = null;
      for (let place = 0; place < found[0].length; place++) {
        range.setStart(node, found.index + place);
        range.setEnd(node, found.index + place + 1);
        const box = range.getBoundingClientRect();
        if (!box.width) continue;
        if (last && Math.abs(box.top - last.top) < 1 && box.left < last.left - 1) {
          faults.push(`${found[0]} in: ${node.data.trim().slice(0, 200)}`);
          break;
        }
        last = box;
      }
    }
  }
  for (const one of closed) one.open = false;
  return faults;
}
