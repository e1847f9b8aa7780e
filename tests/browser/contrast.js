// Every text or field that can be seen and has less contrast than WCAG 2.2 asks for (4.5, and 3 for large text).
() => {
  const parse = (color) => {
    const parts = color.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => { const c = part / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (top, below) => top.rgb.map((part, i) => part * top.alpha + below[i] * (1 - top.alpha));
  const background = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const found = parse(getComputedStyle(one).backgroundColor);
      if (found.alpha > 0) layers.push(found);
      if (found.alpha === 1) break;
    }
    if (!layers.length || layers[layers.length - 1].alpha < 1) return null;
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const faint = [];
  const shown = [...document.querySelectorAll("input, select, textarea")].map((field) => [`field ${field.id}`, field]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) shown.push([walker.currentNode.textContent.trim(), walker.currentNode.parentElement]);
  for (const [text, element] of shown) {
    if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest("script, style, [disabled], .visually-hidden, .skip")) continue;
    const style = getComputedStyle(element), below = background(element);
    if (below === null) { faint.push(`no background is set below: ${text.slice(0, 60)}`); continue; }
    const svg = element.closest("svg");
    const color = over(parse(svg ? style.fill : style.color), below);
    const [light, dark] = [luminance(color), luminance(below)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 600) ? 3 : 4.5;
    if (ratio < needed) faint.push(`${ratio.toFixed(2)} of ${needed}: ${text.slice(0, 60)} (${style.color})`);
  }
  return [...new Set(faint)];
}
