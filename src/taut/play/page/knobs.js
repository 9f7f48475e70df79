// Knobs: what can be turned, shown as the server says it stands, and told to it when somebody turns it.

import { palette, onPaletteChange, shape, sized } from "./palette.js";

const STRENGTHS = [0, 1e-5, 3e-5, 1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const DROPOUTS = [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const BATCHES = [1, 4, 8, 16, 32, 64, 128, 256, "all"];
const SAMPLES = [30, 60, 90, 150, 300, 600, 1200, 2400, 4800];
const NAMES = { l1: "L1", l2: "L2", bias_l1: "L1", bias_l2: "L2" };
const SET_NAMES = { spiral: "Spiral", moons: "Moons", circles: "Circles", xor: "XOR" };
const OPTIMIZER_NAMES = { sgd: "SGD", momentum: "SGD, momentum", nesterov: "SGD, Nesterov", adagrad: "Adagrad", rmsprop: "RMSprop", adam: "Adam" };
const ACTIVATION_NAMES = { relu: "ReLU", tanh: "tanh", sigmoid: "sigmoid", gelu: "GELU", silu: "SiLU", leaky_relu: "leaky ReLU", elu: "ELU", identity: "none (linear)" };
const QUICKEST = 80; // milliseconds between two turns of one slider

const byId = (id) => document.getElementById(id);

function make(kind, properties = {}, ...children) {
  const element = Object.assign(document.createElement(kind), properties);
  element.append(...children);
  return element;
}

// Say the newest value at once, and then at most every so often: each turn is a line in the run's course.
function throttled(say) {
  let waiting = null, last = 0;
  return (value) => {
    clearTimeout(waiting);
    const act = () => { last = performance.now(); say(value); };
    const wait = last + QUICKEST - performance.now();
    if (wait <= 0) act();
    else waiting = setTimeout(act, wait);
  };
}

function plain(value) {
  if (typeof value !== "number") return String(value);
  return value !== 0 && value < 0.001 ? value.toExponential().replace("e-", "e−") : String(value);
}

// A slider over a list of values; one that stands between them is shown as it is.
function slider(holder, id, label, values, write, onTurn) {
  const input = make("input", { type: "range", id, min: 0, max: values.length - 1, step: 1 });
  const output = make("output", { htmlFor: id });
  holder.append(make("div", { className: "slider" }, make("label", { htmlFor: id, textContent: label }), output, input));
  const say = throttled(onTurn);
  let touched = -Infinity;
  const show = (text) => {
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  input.addEventListener("input", () => {
    touched = performance.now();
    const value = values[Number(input.value)];
    show(write(value));
    say(value);
  });
  return (value, text = write(value)) => {
    if (performance.now() - touched < 400) return; // under somebody's hand
    const nearest = values.reduce((best, one, index) =>
      Math.abs(one - value) < Math.abs(values[best] - value) ? index : best, 0);
    input.value = nearest;
    show(text);
  };
}

// A field for a number, which the server's word replaces unless somebody is typing in it.
function field(input, onTurn) {
  let isTyped = false;
  input.addEventListener("input", () => { isTyped = true; });
  input.addEventListener("change", () => {
    isTyped = false;
    onTurn(Math.trunc(Number(input.value)));
  });
  return (value) => { if (!isTyped) input.value = value; };
}

function options(select, values, write = plain) {
  select.replaceChildren(...values.map((value) => make("option", { value: String(value), textContent: write(value) })));
}

function choose(select, value, write = plain) {
  if (![...select.options].some((option) => option.value === String(value))) {
    select.append(make("option", { value: String(value), textContent: write(value) }));
  }
  if (document.activeElement !== select || select.value !== String(value)) select.value = String(value);
}

export class Knobs {
  constructor(send) {
    this.send = send;
    this.turn = (knobs) => send({ type: "turn", knobs });
    this.tables = [];
    this.setting = this.counts = null;
    const percent = (value) => `${Math.round(100 * value)} %`;
    const data = byId("data-sliders"), strengths = byId("strengths");
    this.samples = slider(data, "samples", "Samples to learn from", SAMPLES, (value) => value.toLocaleString("en"),
      (value) => this.turn({ samples: value }));
    this.noise = slider(data, "noise", "Scatter", [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5], plain,
      (value) => this.turn({ noise: value }));
    this.labelNoise = slider(data, "label_noise", "Label noise", [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5], percent,
      (value) => this.turn({ label_noise: value }));
    const everywhere = (name, value) => this.turn({ [name]: this.setting[name].map(() => value) });
    this.l2 = slider(strengths, "l2", "L2 on weights, all layers", STRENGTHS, plain, (value) => everywhere("l2", value));
    this.l1 = slider(strengths, "l1", "L1 on weights, all layers", STRENGTHS, plain, (value) => everywhere("l1", value));
    this.dropout = slider(strengths, "dropout", "Dropout, all hidden layers", DROPOUTS, percent,
      (value) => everywhere("dropout", value));
    this.wire();
  }

  wire() {
    const turned = (id, read) => byId(id).addEventListener("change", (event) => this.turn({ [id]: read(event.target.value) }));
    turned("optimizer", String);
    turned("activation", String);
    turned("learning_rate", Number);
    turned("batch_size", (value) => (value === "all" ? value : Number(value)));
    options(byId("learning_rate"), RATES);
    options(byId("batch_size"), BATCHES, (value) => (value === "all" ? "all rows" : String(value)));
    this.seed = field(byId("seed"), (seed) => this.turn({ seed }));
    byId("dice").addEventListener("click", () => this.turn({ seed: Math.floor(Math.random() * 10000) }));
    byId("add-layer").addEventListener("click", () => this.resize([...this.setting.layers, this.setting.layers.at(-1) ?? 16]));
    const again = () => this.send({
      type: "table", table: this.setting.table, target: byId("target").value, axes: byId("axes").value,
      columns: [byId("column-0").value, byId("column-1").value],
    });
    for (const id of ["target", "axes", "column-0", "column-1"]) byId(id).addEventListener("change", again);
    byId("tables").addEventListener("change", (event) => this.send({ type: "table", table: event.target.value }));
  }

  hello(message) {
    options(byId("optimizer"), message.choices.optimizer, (name) => OPTIMIZER_NAMES[name] ?? name);
    options(byId("activation"), message.choices.activation, (name) => ACTIVATION_NAMES[name] ?? name);
    const sets = byId("sets");
    sets.replaceChildren(...message.choices.data.map((name) => {
      const button = make("button", { type: "button" }, make("canvas"), SET_NAMES[name] ?? name);
      button.setAttribute("role", "radio");
      button.dataset.set = name;
      button.addEventListener("click", () => this.turn({ data: name, table: "", target: "", axes: "columns", columns: [] }));
      return button;
    }));
    sets.addEventListener("keydown", (event) => {
      const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!move) return;
      event.preventDefault();
      const buttons = [...sets.children], at = buttons.indexOf(document.activeElement);
      const next = buttons[(at + move + buttons.length) % buttons.length];
      next.focus();
      next.click();
    });
    const draw = () => [...sets.children].forEach(drawSet);
    draw();
    onPaletteChange(draw);
    this.tables = message.tables;
  }

  addTable(table) {
    this.tables = [...this.tables.filter((one) => one.table !== table.table), table];
  }

  // Another number of layers or units: strengths keep their place, a new layer takes those of the one before it.
  resize(layers) {
    const fitted = (values, count, hasOutput) => {
      const hidden = hasOutput ? values.slice(0, -1) : values, output = hasOutput ? values.slice(-1) : [];
      return [...Array.from({ length: count }, (_, index) => hidden[index] ?? hidden.at(-1) ?? output[0] ?? 0), ...output];
    };
    const knobs = { layers, dropout: fitted(this.setting.dropout, layers.length, false) };
    for (const name of Object.keys(NAMES)) knobs[name] = fitted(this.setting[name], layers.length, true);
    this.turn(knobs);
  }

  show(setting) {
    this.setting = setting;
    const isTable = setting.data === "table";
    for (const button of byId("sets").children) {
      const isChosen = button.dataset.set === setting.data;
      button.setAttribute("aria-checked", String(isChosen));
      button.tabIndex = isChosen || (isTable && button === byId("sets").firstChild) ? 0 : -1;
    }
    this.samples(setting.samples, isTable && this.counts ? this.counts[0].toLocaleString("en") : undefined);
    this.noise(setting.noise);
    byId("noise").closest(".slider").hidden = isTable;
    this.labelNoise(setting.label_noise);
    const all = (values) => (new Set(values).size > 1 ? "differs" : undefined);
    for (const name of ["l1", "l2", "dropout"]) this[name](setting[name][0] ?? 0, all(setting[name]));
    byId("dropout").disabled = !setting.layers.length;
    for (const name of ["optimizer", "activation", "learning_rate", "batch_size"]) choose(byId(name), setting[name]);
    this.seed(setting.seed);
    this.showTable(setting, isTable);
    this.showLayers(setting);
  }

  showTable(setting, isTable) {
    byId("table-knobs").hidden = !isTable && !this.tables.length;
    byId("tables-row").hidden = !this.tables.length;
    const table = this.tables.find((one) => one.table === setting.table);
    options(byId("tables"), this.tables.map((one) => one.table), (name) => this.tables.find((one) => one.table === name).name);
    if (!table) byId("tables").prepend(make("option", { value: "", textContent: isTable ? "(not here)" : "choose…", selected: true, disabled: true }));
    else byId("tables").value = table.table;
    for (const id of ["target", "axes"]) byId(id).closest(".row").hidden = !isTable;
    for (const id of ["column-0-row", "column-1-row"]) byId(id).hidden = !isTable || setting.axes !== "columns";
    if (!isTable) return;
    options(byId("target"), table ? table.columns : [setting.target], String);
    byId("target").value = setting.target;
    byId("axes").value = setting.axes;
    const numbers = (table ? table.numbers : setting.columns).filter((name) => name !== setting.target);
    ["column-0", "column-1"].forEach((id, place) => {
      options(byId(id), numbers, String);
      if (setting.columns[place] !== undefined) byId(id).value = setting.columns[place];
    });
  }

  showLayers(setting) {
    const holder = byId("layers"), count = setting.layers.length;
    byId("add-layer").disabled = count >= 6;
    if (holder.children.length !== count + 1 || holder.dataset.count !== String(count)) {
      this.units = [];
      const open = [...holder.querySelectorAll("details")].map((one) => one.open);
      holder.replaceChildren(...Array.from({ length: count + 1 }, (_, index) => this.layer(index, index === count)));
      holder.dataset.count = count;
      [...holder.querySelectorAll("details")].forEach((one, index) => { one.open = open[index] ?? false; });
    }
    [...holder.children].forEach((box, index) => {
      this.units[index]?.(setting.layers[index]);
      for (const select of box.querySelectorAll("select")) choose(select, setting[select.dataset.knob][index]);
      box.querySelector("summary").textContent = summary(setting, index);
    });
  }

  layer(index, isOutput) {
    const name = isOutput ? "Output layer" : `Hidden layer ${index + 1}`;
    const top = make("div", { className: "top" }, make("span", { className: "grow", textContent: name }));
    if (!isOutput) {
      const units = make("input", { type: "number", min: 1, max: 512, step: 1 });
      units.setAttribute("aria-label", `Units of hidden layer ${index + 1}`);
      this.units[index] = field(units, (value) =>
        this.turn({ layers: this.setting.layers.map((one, place) => (place === index ? value : one)) }));
      const remove = make("button", { type: "button", textContent: "×", title: "Remove this layer" });
      remove.setAttribute("aria-label", `Remove hidden layer ${index + 1}`);
      remove.addEventListener("click", () => this.remove(index));
      top.append(units, remove);
    }
    const grid = make("div", { className: "grid" }, ...["", "L1", "L2"].map((text) => make("span", { className: "head", textContent: text })));
    for (const [words, first, second] of [["weights", "l1", "l2"], ["biases", "bias_l1", "bias_l2"]]) {
      grid.append(make("span", { textContent: words }));
      for (const knob of [first, second]) grid.append(this.select(knob, index, `${NAMES[knob]} on ${words}, ${name}`, STRENGTHS));
    }
    if (!isOutput) {
      grid.append(make("span", { textContent: "dropout" }), this.select("dropout", index, `Dropout, ${name}`, DROPOUTS));
    }
    const details = make("details", {}, make("summary"), grid);
    return make("div", { className: "layer" }, top, details);
  }

  select(knob, index, label, values) {
    const select = make("select");
    select.dataset.knob = knob;
    select.setAttribute("aria-label", label);
    options(select, values);
    select.addEventListener("change", () => this.turn({
      [knob]: this.setting[knob].map((one, place) => (place === index ? Number(select.value) : one)),
    }));
    return select;
  }

  remove(index) {
    const without = (values) => values.filter((_, place) => place !== index);
    const knobs = { layers: without(this.setting.layers), dropout: without(this.setting.dropout) };
    for (const name of Object.keys(NAMES)) knobs[name] = without(this.setting[name]);
    this.turn(knobs);
  }
}

function summary(setting, index) {
  const words = [];
  for (const [name, label] of [["l1", "L1"], ["l2", "L2"], ["bias_l1", "bias L1"], ["bias_l2", "bias L2"]]) {
    if (setting[name][index]) words.push(`${label} ${plain(setting[name][index])}`);
  }
  if (setting.dropout[index]) words.push(`dropout ${Math.round(100 * setting.dropout[index])} %`);
  return words.join(" · ") || "nothing regularizes it";
}

// A picture of each set that is drawn, by its formula, without noise.
function drawSet(button) {
  const { context, width, height } = sized(button.querySelector("canvas"));
  const { classes, blank } = palette();
  context.fillStyle = blank;
  context.fillRect(0, 0, width, height);
  const dot = (x, y, label) => {
    shape(context, label, width / 2 + x * width * 0.4, height / 2 - y * height * 0.4, 1.7);
    context.fillStyle = classes[label];
    context.fill();
  };
  for (let step = 0; step < 16; step += 1) {
    const share = (step + 0.5) / 16, turn = 2 * Math.PI * share;
    if (button.dataset.set === "spiral") {
      for (let arm = 0; arm < 3; arm += 1) {
        const angle = 4.2 * share + 2.09 * arm;
        dot(share * Math.sin(angle), share * Math.cos(angle), arm);
      }
    } else if (button.dataset.set === "moons") {
      dot(-0.3 + 0.65 * Math.cos(turn / 2), -0.15 + 0.7 * Math.sin(turn / 2), 0);
      dot(0.3 - 0.65 * Math.cos(turn / 2), 0.15 - 0.7 * Math.sin(turn / 2), 1);
    } else if (button.dataset.set === "circles") {
      dot(0.95 * Math.sin(turn), 0.95 * Math.cos(turn), 0);
      if (step % 2) dot(0.42 * Math.sin(turn), 0.42 * Math.cos(turn), 1);
    } else {
      const x = [-0.75, -0.3, 0.3, 0.75][step % 4], y = [-0.75, -0.3, 0.3, 0.75][Math.floor(step / 4)];
      dot(x, y, x * y > 0 ? 1 : 0);
    }
  }
}
