// Drawing: maps of the plane with its points, losses, weights. Nothing here knows of sockets or knobs.

import { mixed, palette, rgb, shape, sized } from "./palette.js";

const patch = document.createElement("canvas");
const overlays = new WeakMap();

// A colour as canvases keep it, in one number.
const packed = (colour) => (255 << 24) | (Math.round(colour[2]) << 16) | (Math.round(colour[1]) << 8) | Math.round(colour[0]);

// The colours of a map: for each class, or for low and high numbers, from not sure at all to certain.
function shades(isNumber) {
  const colours = palette(), paper = rgb(colours.card);
  const steps = Array.from({ length: 256 }, (_, step) => step / 255);
  if (!isNumber) {
    return colours.classes.map((name) => Uint32Array.from(steps, (share) => packed(mixed(paper, rgb(name), 0.08 + 0.5 * share))));
  }
  const low = rgb(colours.negative), high = rgb(colours.positive);
  const table = Uint32Array.from(steps, (share) => packed(mixed(paper, share < 0.5 ? low : high, 0.85 * Math.abs(2 * share - 1))));
  return Array(256).fill(table);
}

export function drawMap(canvas, map, grid, rows) {
  const { context, width, height } = sized(canvas);
  const isNumber = rows.task === "regression";
  patch.width = patch.height = grid;
  const small = patch.getContext("2d"), image = small.createImageData(grid, grid);
  const pixels = new Uint32Array(image.data.buffer), tables = shades(isNumber);
  for (let point = 0; point < grid * grid; point += 1) pixels[point] = tables[map.winner[point]][map.sureness[point]];
  small.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(patch, 0, 0, width, height);
  context.drawImage(overlay(canvas, rows, width, height), 0, 0, width, height);
}

// The points do not change from frame to frame, so they are drawn once.
function overlay(canvas, rows, width, height) {
  const made = overlays.get(canvas), colours = palette();
  const key = [canvas.width, canvas.height].join();
  if (made?.rows === rows && made.colours === colours && made.key === key) return made.canvas;
  const sheet = document.createElement("canvas");
  sheet.width = canvas.width;
  sheet.height = canvas.height;
  const context = sheet.getContext("2d");
  context.scale(canvas.width / width, canvas.height / height);
  drawPoints(context, width, height, rows, colours);
  drawEnds(context, width, height, rows, colours);
  overlays.set(canvas, { canvas: sheet, rows, colours, key });
  return sheet;
}

function drawPoints(context, width, height, rows, colours) {
  const place = ([x, y]) => [
    ((x - rows.low[0]) / (rows.high[0] - rows.low[0])) * width,
    height - ((y - rows.low[1]) / (rows.high[1] - rows.low[1])) * height,
  ];
  const size = Math.max(width / 150, 1.6);
  const low = rgb(colours.negative), high = rgb(colours.positive), paper = rgb(colours.card);
  const colour = (target) => {
    if (rows.task !== "regression") return colours.classes[target];
    const share = Math.max(-1, Math.min(1, target / 2));
    return `rgb(${mixed(paper, share < 0 ? low : high, 0.25 + 0.75 * Math.abs(share)).map(Math.round).join(" ")})`;
  };
  const kind = (target) => (rows.task === "regression" ? 0 : target);
  context.globalAlpha = 0.55; // those to learn from, dimmed, behind
  rows.learn.forEach((point, index) => {
    const [x, y] = place(point);
    shape(context, kind(rows.learn_target[index]), x, y, size * 0.8);
    context.fillStyle = colour(rows.learn_target[index]);
    context.fill();
    if (rows.wrong[index]) { // a label that is wrong: crossed
      context.beginPath();
      context.moveTo(x - size * 1.4, y - size * 1.4);
      context.lineTo(x + size * 1.4, y + size * 1.4);
      context.moveTo(x - size * 1.4, y + size * 1.4);
      context.lineTo(x + size * 1.4, y - size * 1.4);
      context.strokeStyle = colours.ink;
      context.lineWidth = 1;
      context.stroke();
    }
  });
  context.globalAlpha = 1; // those to validate on, in front
  context.lineWidth = 1;
  context.strokeStyle = colours.card;
  rows.held.forEach((point, index) => {
    const [x, y] = place(point);
    shape(context, kind(rows.held_target[index]), x, y, size * 1.15);
    context.fillStyle = colour(rows.held_target[index]);
    context.fill();
    context.stroke();
  });
}

function drawEnds(context, width, height, rows, colours) { // what the edges are, in the units of the data
  const written = (axis, value) => short(rows.offset[axis] + rows.scale[axis] * value);
  context.fillStyle = colours.ink;
  context.globalAlpha = 0.75;
  context.font = "10.5px system-ui, sans-serif";
  context.textAlign = "left";
  context.fillText(written(0, rows.low[0]), 5, height - 5);
  context.fillText(written(1, rows.high[1]), 5, 13);
  context.textAlign = "right";
  context.fillText(written(0, rows.high[0]), width - 5, height - 5);
  context.globalAlpha = 1;
}

export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 5e-4)) return value.toExponential(1);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 3;
  return value.toFixed(digits).replace(/(\.\d\d)0$/, "$1").replace("-", "−");
}

export function drawLosses(canvas, losses, arm, chance, turned) {
  const { context, width, height } = sized(canvas);
  const colours = palette();
  const room = { left: 30, right: 46, top: 8, bottom: 20 };
  const plot = { width: width - room.left - room.right, height: height - room.top - room.bottom };
  const epochs = losses.epochs, last = epochs.at(-1) ?? 1;
  const ceiling = top(losses, chance);
  const x = (epoch) => room.left + ((epoch - 1) / Math.max(last - 1, 1)) * plot.width;
  const y = (value) => room.top + plot.height * (1 - Math.min(value / ceiling, 1.02));
  axes(context, { room, plot, width, height, last, ceiling, x, y, chance, colours });
  const columns = losses.arms[arm];
  if (!epochs.length) return;
  context.fillStyle = colours.soft;
  for (const epoch of turned) context.fillRect(Math.round(x(epoch)), room.top, 1, plot.height);
  const data = columns.evaluation_data_loss, whole = data.map((value, index) => value + columns.penalty[index]);
  context.save();
  context.beginPath();
  context.rect(room.left, 0, width - room.left, height - room.bottom + 1);
  context.clip();
  context.beginPath(); // the penalty is what lies between the two
  epochs.forEach((epoch, index) => context[index ? "lineTo" : "moveTo"](x(epoch), y(whole[index])));
  for (let index = epochs.length - 1; index >= 0; index -= 1) context.lineTo(x(epochs[index]), y(data[index]));
  context.globalAlpha = 0.18;
  context.fillStyle = colours.penalty;
  context.fill();
  context.globalAlpha = 1;
  const line = (values, colour, dash, thickness) => {
    context.beginPath();
    epochs.forEach((epoch, index) => context[index ? "lineTo" : "moveTo"](x(epoch), y(values[index])));
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.stroke();
    context.setLineDash([]);
  };
  if (columns.penalty.some((value) => value > 0)) line(whole, colours.penalty, [1.5, 3], 2);
  line(data, colours.data, [6, 3], 1.8);
  line(columns.validation_data_loss, colours.validation, [], 1.8);
  context.restore();
  gap(context, { x: width - room.right + 5, from: y(data.at(-1)), to: y(columns.validation_data_loss.at(-1)), colours,
    value: columns.validation_data_loss.at(-1) - data.at(-1) });
}

function top(losses, chance) { // one scale for both networks: what they reach now, not where they came from
  let most = chance;
  for (const columns of losses.arms) {
    if (!losses.epochs.length) break;
    const from = Math.floor(losses.epochs.length * 0.15);
    for (const value of columns.validation_data_loss.slice(from)) most = Math.max(most, value ?? 0);
    most = Math.max(most, columns.evaluation_data_loss.at(-1) + columns.penalty.at(-1));
  }
  return 1.12 * Math.min(most, 4 * chance);
}

function axes(context, { room, plot, width, height, last, ceiling, x, y, chance, colours }) {
  context.font = "10.5px system-ui, sans-serif";
  context.strokeStyle = colours.line;
  context.fillStyle = colours.soft;
  context.lineWidth = 1;
  context.textAlign = "right";
  const step = [0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5].find((size) => ceiling / size <= 5) ?? ceiling / 4;
  for (let value = 0; value <= ceiling; value += step) {
    context.beginPath();
    context.moveTo(room.left, y(value));
    context.lineTo(room.left + plot.width, y(value));
    context.stroke();
    context.fillText(String(Number(value.toFixed(2))), room.left - 5, y(value) + 3.5);
  }
  context.textAlign = "left";
  context.fillText("1", room.left, height - 6);
  context.textAlign = "right";
  context.fillText(`epoch ${last.toLocaleString("en")}`, room.left + plot.width, height - 6);
  context.setLineDash([2, 4]);
  context.strokeStyle = colours.soft;
  context.beginPath();
  context.moveTo(room.left, y(chance));
  context.lineTo(room.left + plot.width, y(chance));
  context.stroke();
  context.setLineDash([]);
}

function gap(context, { x, from, to, value, colours }) {
  context.strokeStyle = colours.ink;
  context.fillStyle = colours.ink;
  context.lineWidth = 1.4;
  context.beginPath();
  context.moveTo(x - 3, from);
  context.lineTo(x + 1, from);
  context.lineTo(x + 1, to);
  context.lineTo(x - 3, to);
  context.stroke();
  if (Math.abs(from - to) < 14) return;
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "left";
  context.fillText(short(value), x + 5, (from + to) / 2 + 4);
}

export function drawWeights(holder, layers) {
  while (holder.children.length > layers.length) holder.lastChild.remove();
  while (holder.children.length < layers.length) {
    const figure = document.createElement("figure");
    figure.append(document.createElement("canvas"), document.createElement("figcaption"));
    holder.append(figure);
  }
  const colours = palette();
  const blank = rgb(colours.blank), low = rgb(colours.negative), high = rgb(colours.positive), zero = packed(rgb(colours.zero));
  const shade = Uint32Array.from({ length: 511 }, (_, step) =>
    packed(mixed(blank, step < 255 ? low : high, Math.sqrt(Math.abs(step - 255) / 255))));
  const most = Math.max(...layers.map((layer) => Math.max(layer.shown[0] + 1, layer.shown[1])));
  const ratio = Math.ceil(window.devicePixelRatio || 1), cell = Math.max(2, Math.min(12, Math.floor(150 / most)));
  const side = cell * ratio, dot = Math.max(Math.round(side * 0.36), 1), edge = Math.floor((side - dot) / 2);
  layers.forEach((layer, index) => {
    const [canvas, caption] = holder.children[index].children;
    const [inputs, units] = layer.shown; // one column an input, the last one the biases, after half a column
    const across = inputs * side + Math.floor(side / 2), down = units * side;
    if (canvas.width !== across || canvas.height !== down) {
      canvas.width = across;
      canvas.height = down;
      canvas.style.width = `${across / ratio}px`;
      canvas.style.height = `${down / ratio}px`;
    }
    const context = canvas.getContext("2d"), image = context.createImageData(across, down);
    const pixels = new Uint32Array(image.data.buffer), largest = Math.max(layer.largest, 1e-12);
    for (let input = 0; input < inputs; input += 1) {
      const left = input * side + (input === inputs - 1 ? Math.floor(side / 2) : 0);
      for (let unit = 0; unit < units; unit += 1) {
        const value = layer.values[input * units + unit];
        const colour = shade[255 + Math.round(255 * Math.max(-1, Math.min(1, value / largest)))];
        for (let row = unit * side; row < (unit + 1) * side; row += 1) pixels.fill(colour, row * across + left, row * across + left + side);
        if (value !== 0) continue;
        for (let row = unit * side + edge; row < unit * side + edge + dot; row += 1) {
          pixels.fill(zero, row * across + left + edge, row * across + left + edge + dot);
        }
      }
    }
    context.putImageData(image, 0, 0);
    const [from, to] = layer.shape, cut = inputs - 1 < from || units < to;
    const words = `${from} → ${to}${cut ? ` (${inputs - 1} × ${units} shown)` : ""}`;
    if (caption.textContent !== words) caption.textContent = words; // else every frame would lay the page out anew
  });
}

// What each hidden unit answers in the plane: one small map a unit, one row of them a layer; a silent unit has a dot.
export function drawUnits(canvas, layers, grid) {
  const colours = palette(), gap = 3, wide = canvas.parentElement.clientWidth;
  const plans = layers.map((answers) => { // as many rows as it takes, all about equally long
    const count = answers.length / (grid * grid), most = Math.floor((wide + gap) / (19 + gap));
    const rows = Math.max(Math.ceil(count / most), 1), perRow = Math.ceil(count / rows);
    return { count, rows, perRow, tile: Math.min(Math.floor((wide + gap) / perRow) - gap, 30) };
  });
  const tall = plans.reduce((sum, plan) => sum + plan.rows * (plan.tile + gap) + 6, 0);
  const height = `${Math.max(tall - 6, 1)}px`;
  if (canvas.style.height !== height) canvas.style.height = height;
  const { context } = sized(canvas);
  const blank = rgb(colours.blank), low = rgb(colours.negative), high = rgb(colours.positive);
  const shade = Uint32Array.from({ length: 255 }, (_, step) => packed(mixed(blank, step < 127 ? low : high, Math.sqrt(Math.abs(step - 127) / 127))));
  let top = 0;
  layers.forEach((answers, layer) => {
    const { count, rows, perRow, tile } = plans[layer];
    patch.width = grid;
    patch.height = grid * count;
    const small = patch.getContext("2d"), image = small.createImageData(grid, patch.height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let index = 0; index < answers.length; index += 1) pixels[index] = shade[answers[index] + 127];
    small.putImageData(image, 0, 0);
    for (let unit = 0; unit < count; unit += 1) {
      const x = (unit % perRow) * (tile + gap), y = top + Math.floor(unit / perRow) * (tile + gap);
      context.drawImage(patch, 0, unit * grid, grid, grid, x, y, tile, tile);
      if (!isSilent(answers, unit, grid)) continue;
      context.fillStyle = colours.zero;
      context.fillRect(x + tile / 2 - 2, y + tile / 2 - 2, 4, 4);
    }
    top += rows * (tile + gap) + 6;
  });
}

export function isSilent(answers, unit, grid) {
  for (let index = unit * grid * grid; index < (unit + 1) * grid * grid; index += 1) if (answers[index]) return false;
  return true;
}

export function drawLegend(holder, rows) {
  holder.replaceChildren();
  const entry = (draw, words) => {
    const item = document.createElement("span"), canvas = document.createElement("canvas");
    item.append(canvas, words);
    holder.append(item);
    const { context } = sized(canvas);
    draw(context);
  };
  const colours = palette();
  rows.classes.forEach((name, index) => entry((context) => {
    shape(context, index, 7.5, 7.5, 4.5);
    context.fillStyle = colours.classes[index];
    context.fill();
  }, name));
  if (rows.task === "regression") {
    entry((context) => { context.fillStyle = colours.negative; context.fillRect(2, 2, 11, 11); }, "low");
    entry((context) => { context.fillStyle = colours.positive; context.fillRect(2, 2, 11, 11); }, "high");
  }
  const words = [`${rows.counts[0]} rows to learn from (pale)`, `${rows.counts[1]} to validate on (in front)`];
  for (const text of words) holder.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (rows.wrong.some(Boolean)) {
    holder.append(Object.assign(document.createElement("span"), { textContent: "crossed: its label is wrong" }));
  }
}
