// Colours and shapes: read from the style sheet, so that light and dark are said in one place.

let colours = read();
const watchers = [];
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours = read();
  watchers.forEach((watcher) => watcher());
});

function read() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["card", "ink", "soft", "line", "negative", "positive", "blank", "zero", "validation", "data", "penalty"];
  const found = Object.fromEntries(names.map((name) => [name, get(name)]));
  found.classes = Array.from({ length: 10 }, (_, index) => get(`class-${index}`));
  return found;
}

export const palette = () => colours;
export const onPaletteChange = (watcher) => watchers.push(watcher);

export function rgb(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export const mixed = (from, to, share) => from.map((value, index) => value + (to[index] - value) * share);

// Classes differ in shape as well as in colour: circle, square, triangle, diamond, and the same again.
export function shape(context, kind, x, y, size) {
  context.beginPath();
  if (kind % 4 === 0) context.arc(x, y, size, 0, 2 * Math.PI);
  else if (kind % 4 === 1) context.rect(x - size * 0.88, y - size * 0.88, size * 1.76, size * 1.76);
  else {
    const corners = kind % 4 === 2 ? [[0, -1.25], [1.15, 0.8], [-1.15, 0.8]] : [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]];
    corners.forEach(([dx, dy], index) => context[index ? "lineTo" : "moveTo"](x + dx * size, y + dy * size));
    context.closePath();
  }
}

// A canvas's context in the pixels of the screen, for coordinates in those of the style sheet.
export function sized(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
