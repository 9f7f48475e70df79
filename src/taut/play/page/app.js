// The page: a conversation with the server over one WebSocket, and what is drawn of it.

import { Losses, parse } from "./frame.js";
import { drawLegend, drawLosses, drawMap, drawUnits, drawWeights, isSilent, short } from "./draw.js";
import { Knobs } from "./knobs.js";
import { onPaletteChange } from "./palette.js";

const byId = (id) => document.getElementById(id);
const TITLES = ["Regularized", "Not regularized"];
const NOTES = ["L1, L2 and dropout as set", "the same, without any of them"];

const arms = TITLES.map((title, arm) => {
  const holder = byId(`arm-${arm}`);
  holder.append(byId("arm-template").content.cloneNode(true));
  const heading = holder.querySelector("h2");
  heading.id = `arm-${arm}-title`;
  heading.textContent = title;
  holder.querySelector(".what").textContent = NOTES[arm];
  for (const part of holder.querySelectorAll("h3")) part.dataset.arm = title;
  return {
    map: holder.querySelector(".map canvas"),
    axes: [holder.querySelector(".across"), holder.querySelector(".up")],
    chart: holder.querySelector(".chart canvas"),
    chartTitle: holder.querySelector(".chart h3"),
    matrices: holder.querySelector(".matrices"),
    units: holder.querySelector(".units canvas"),
    fingerprint: holder.querySelector(".fingerprint"),
    metric: holder.querySelector("[data-metric]"),
    figures: Object.fromEntries([...holder.querySelectorAll("dd")].map((one) => [one.dataset.figure, one])),
  };
});

const losses = new Losses();
let rows = null, frame = null, greeting = null, awaits = false, written = "", asked = "", turned = [], drawn = [], described = -Infinity;

const socket = new WebSocket(`ws://${location.host}/live`);
socket.binaryType = "arraybuffer";
const send = (message) => {
  if (socket.readyState !== WebSocket.OPEN) return;
  if (message.type !== "seen" && message.type !== "open") asked = ""; // whoever goes on here waits for no table
  socket.send(JSON.stringify(message));
};
const knobs = new Knobs(send);

// ------------------------------------------------------------------------------------------------ what the server says

socket.addEventListener("open", () => { if (location.hash.length > 1) open(); });
socket.addEventListener("close", () => complain("The connection has ended. If taut play still runs, reload the page."));
socket.addEventListener("message", (event) => {
  if (typeof event.data !== "string") return take(parse(event.data));
  const message = JSON.parse(event.data);
  hear[message.type]?.(message);
});
window.addEventListener("hashchange", () => { if (location.hash.slice(1) !== written) open(); });

const hear = {
  hello(message) {
    greeting = message;
    knobs.hello(message);
  },
  rows(message) {
    rows = message;
    knobs.counts = message.counts;
    const metric = rows.task === "regression" ? "validation R²" : "validation accuracy";
    for (const arm of arms) {
      arm.metric.textContent = metric;
      arm.axes.forEach((axis, index) => { axis.textContent = rows.axis_names[index]; });
      arm.chartTitle.textContent = rows.task === "regression" ? "Loss (squared error, in variances)" : "Loss (cross-entropy)";
    }
    drawLegend(byId("point-legend"), rows);
  },
  setting(message) {
    if (tableOf(asked) === message.setting.table) asked = "";
    turned = message.turned;
    for (const key of document.querySelectorAll(".key.turned")) key.hidden = !turned.length;
    knobs.show(message.setting);
  },
  error(message) { complain(message.text); },
  code(message) { show("Copy as Python", message, "run.py", `It repeats this run to the last bit, and prints the losses of both networks.${knobs.setting.data === "table" ? " A table that was given by hand is read from the folder where it is run." : ""}`); },
  recipe(message) { show("Save as recipe", message, "recipe.toml", "All that trains the regularized network, for `taut fit DATA --recipe recipe.toml --effort none`, or Recipe.from_toml."); },
  share(message) { share(message.text); },
};

const tableOf = (address) => new URLSearchParams(address).get("table");

// An address may be about a table that the server has not: then it is kept until the file is loaded.
function open(address = location.hash.slice(1)) {
  asked = tableOf(address) ? address : "";
  send({ type: "open", address });
}

function complain(text) {
  byId("alert").textContent = text;
  byId("alert").hidden = false;
}

function silence() { byId("alert").hidden = true; }

function share(text) {
  write(text);
  navigator.clipboard.writeText(location.href).then(
    () => { byId("status").textContent = "The address is copied: whoever opens it here gets this run, bit for bit."; described = performance.now() + 2500; },
    () => { complain("The browser did not let the address be copied; it stands in the address bar."); },
  );
}

function write(address) {
  if (address === written) return;
  written = address;
  history.replaceState(null, "", address ? `#${address}` : location.pathname);
}

function show(title, message, file, note) {
  byId("paper-title").textContent = title;
  byId("paper-note").textContent = note;
  byId("paper-text").textContent = message.text;
  byId("paper-save").textContent = `Save ${file}`;
  byId("paper-save").dataset.file = file;
  byId("paper-copy").textContent = "Copy";
  if (!byId("paper").open) byId("paper").showModal();
}

// ---------------------------------------------------------------------------------------------------- what is drawn

function take(next) {
  losses.add(next);
  if (frame && next.fresh && next.epoch === 0) silence();
  frame = next;
  if (!awaits) requestAnimationFrame(draw);
  awaits = true;
}

function draw() {
  awaits = false;
  if (!rows || !frame) return;
  redraw();
  arms.forEach(figures);
  byId("epoch").textContent = frame.epoch.toLocaleString("en");
  document.body.classList.toggle("running", frame.running);
  byId("play-word").textContent = frame.running ? "Pause" : "Train";
  if (frame.address !== undefined && !asked) write(frame.address);
  send({ type: "seen" });
  drawn.push([performance.now(), frame.epoch]);
  if (performance.now() - described > 500) describe();
}

function figures(arm, index) {
  const last = frame.last[index], get = (name) => last[name][0];
  const weights = frame.layers[index].reduce((sum, layer) => sum + layer.shape[0] * layer.shape[1], 0);
  const zeros = frame.layers[index].reduce((sum, layer) => sum + layer.zeros, 0);
  const value = {
    validation: short(get("validation_data_loss")),
    metric: rows.task === "regression" ? short(get("validation_metric")) : percent(get("validation_metric")),
    data: short(get("evaluation_data_loss")),
    penalty: short(get("penalty")),
    gap: short(get("validation_data_loss") - get("evaluation_data_loss")),
    zeros: weights ? `${Math.round((100 * zeros) / weights)} %` : "–",
  };
  for (const [name, text] of Object.entries(value)) {
    if (arm.figures[name].textContent !== text) arm.figures[name].textContent = text;
  }
  arm.fingerprint.textContent = frame.fingerprints[index];
}

function percent(value) { return value === undefined || value === null ? "–" : `${(100 * value).toFixed(1)} %`; }

// What is read out, and what a picture says in words: now and then, not at every frame.
function describe() {
  described = performance.now();
  drawn = drawn.filter(([time]) => time > described - 1500);
  const span = drawn.length > 1 ? (drawn.at(-1)[0] - drawn[0][0]) / 1000 : 0;
  const [first, second] = frame.last.map((columns) => ({
    validation: columns.validation_data_loss[0], data: columns.evaluation_data_loss[0], penalty: columns.penalty[0],
  }));
  const speed = span > 0.4 ? Math.round((drawn.at(-1)[1] - drawn[0][1]) / span) : 0;
  const looks = span > 0.4 ? Math.round((drawn.length - 1) / span) : 0;
  byId("status").textContent = frame.goal !== null
    ? `Repeating the run: ${frame.epoch.toLocaleString("en")} of ${frame.goal.toLocaleString("en")} epochs`
    : frame.running && speed > 0
      ? `Training: ${speed.toLocaleString("en")} epochs and ${looks} pictures a second`
      : frame.running ? "Training… the first time, the engine is compiled, which takes some seconds" : "Paused";
  verdict(first, second);
  arms.forEach((arm, index) => {
    const one = index ? second : first;
    const words = frame.epoch ? `training loss ${short(one.data)}, penalty ${short(one.penalty)}, validation loss ${short(one.validation)}` : "not trained yet";
    arm.map.setAttribute("aria-label", `What the ${TITLES[index].toLowerCase()} network answers in the plane; ${words}`);
    arm.chart.setAttribute("aria-label", `Losses of the ${TITLES[index].toLowerCase()} network over ${frame.epoch} epochs; ${words}`);
    const zeros = frame.layers[index].map((layer) => `${layer.shape.join(" to ")}: ${layer.zeros} at zero`).join("; ");
    const silent = frame.answers[index].map((answers) => silentUnits(answers, frame.unit_grid)).join(", ");
    arm.units.setAttribute("aria-label", `What each hidden unit of the ${TITLES[index].toLowerCase()} network answers in the plane; silent units, layer by layer: ${silent || "no hidden layer"}`);
    arm.matrices.setAttribute("aria-label", `Weights of the ${TITLES[index].toLowerCase()} network, layer by layer; ${zeros}`);
  });
}

function silentUnits(answers, grid) {
  return Array.from({ length: answers.length / grid ** 2 }, (_, unit) => isSilent(answers, unit, grid)).filter(Boolean).length;
}

function verdict(first, second) {
  const holder = byId("verdict");
  const bold = (text) => Object.assign(document.createElement("b"), { textContent: text });
  if (!frame.epoch) {
    holder.textContent = "Two networks, the same data, the same first weights. Only the left one is regularized: press Train.";
    return;
  }
  const gaps = [first.validation - first.data, second.validation - second.data].map(short);
  const difference = second.validation - first.validation;
  const head = Math.abs(difference) < 0.03
    ? ["So far regularization makes little difference: validation loss ", bold(short(first.validation)), " with it, ", bold(short(second.validation)), " without."]
    : difference > 0
      ? ["Validation loss is ", bold(short(first.validation)), " with regularization and ", bold(short(second.validation)), " without it."]
      : ["Regularization does harm here so far: validation loss ", bold(short(first.validation)), " with it, ", bold(short(second.validation)), " without."];
  holder.replaceChildren(...head, " The gap to training is ", bold(gaps[0]), " against ", bold(gaps[1]), ".");
}

onPaletteChange(() => { if (rows) drawLegend(byId("point-legend"), rows); requestAnimationFrame(redraw); });
new ResizeObserver(() => requestAnimationFrame(redraw)).observe(document.querySelector(".stage"));

function redraw() {
  if (!rows || !frame) return;
  arms.forEach((arm, index) => {
    drawMap(arm.map, frame.maps[index], frame.grid, rows);
    drawLosses(arm.chart, losses, index, rows.chance, turned);
    drawWeights(arm.matrices, frame.layers[index]);
    drawUnits(arm.units, frame.answers[index], frame.unit_grid);
  });
}

setInterval(() => { if (frame && performance.now() - described > 900) describe(); }, 1000);

// ------------------------------------------------------------------------------------------------ what a person does

const speed = () => Number(byId("speed").value);
const toggle = () => send(frame?.running ? { type: "pause" } : { type: "run", speed: speed() });

byId("play").addEventListener("click", () => { silence(); toggle(); });
byId("step").addEventListener("click", () => send({ type: "step", epochs: 1 }));
byId("reset").addEventListener("click", () => { silence(); send({ type: "reset" }); });
byId("speed").addEventListener("change", () => { if (frame?.running) send({ type: "run", speed: speed() }); });
for (const kind of ["share", "code", "recipe"]) byId(kind).addEventListener("click", () => send({ type: kind }));
byId("paper-close").addEventListener("click", () => byId("paper").close());
byId("paper-copy").addEventListener("click", () => {
  navigator.clipboard.writeText(byId("paper-text").textContent).then(
    () => { byId("paper-copy").textContent = "Copied"; },
    () => { byId("paper-copy").textContent = "Select the text and copy it"; },
  );
});
byId("paper-save").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([byId("paper-text").textContent], { type: "text/plain" }));
  link.download = byId("paper-save").dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
document.addEventListener("keydown", (event) => {
  const isTaken = event.target.closest("input, select, textarea, button, summary, a, pre, dialog");
  if (isTaken || event.ctrlKey || event.metaKey || event.altKey) return;
  const does = { " ": () => byId("play").click(), ".": () => byId("step").click(), r: () => byId("reset").click() }[event.key];
  if (does) {
    event.preventDefault();
    does();
  }
});

// ------------------------------------------------------------------------------------------------------ one's own table

async function upload(file) {
  if (!file) return;
  silence();
  if (file.size > greeting.most_bytes) {
    complain(greeting.too_large.replace("NAME", file.name));
    return;
  }
  byId("status").textContent = `Reading ${file.name}…`;
  described = performance.now();
  try {
    const response = await fetch(`/table?name=${encodeURIComponent(file.name)}`, {
      method: "POST", body: file, headers: { "content-type": "application/octet-stream" },
    });
    const told = await response.json();
    if (told.error) {
      complain(told.error);
      return;
    }
    knobs.addTable(told);
    if (tableOf(asked) === told.table) open(asked); // the table that the address waits for
    else send({ type: "table", table: told.table });
  } catch {
    complain(`${file.name}: it could not be sent; is taut play still running?`);
  }
}

byId("file").addEventListener("change", (event) => {
  upload(event.target.files[0]);
  event.target.value = "";
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dropping", kind === "dragover");
    if (kind === "drop") upload(event.dataTransfer.files[0]);
  });
}
