// Frames: from bytes to what is drawn, and the losses of all frames so far.

const MOST_KEPT = 900;

export function parse(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let place = 4 + length;
  for (const layers of head.layers) {
    for (const layer of layers) {
      const count = layer.shown[0] * layer.shown[1];
      layer.values = new Float32Array(buffer, place, count);
      place += 4 * count;
    }
  }
  const points = head.grid * head.grid;
  head.maps = head.layers.map((_, arm) => ({
    winner: new Uint8Array(buffer, place + 2 * arm * points, points),
    sureness: new Uint8Array(buffer, place + (2 * arm + 1) * points, points),
  }));
  place += 2 * points * head.layers.length;
  const tile = head.unit_grid * head.unit_grid;
  head.answers = head.units.map((layers) => layers.map((count) => {
    const answers = new Int8Array(buffer, place, count * tile);
    place += count * tile;
    return answers;
  }));
  return head;
}

export class Losses {
  constructor() { this.clear(); }

  clear() {
    this.epochs = [];
    this.arms = [{}, {}];
    this.stride = 1;
  }

  // As many as the eye can tell apart, evenly spread, and the newest.
  add(frame) {
    if (frame.fresh) this.clear();
    frame.epochs.forEach((epoch, index) => {
      if (this.epochs.length > 1 && this.epochs.at(-1) - this.epochs.at(-2) < this.stride) this.drop();
      this.epochs.push(epoch);
      frame.losses.forEach((columns, arm) => {
        for (const [name, values] of Object.entries(columns)) (this.arms[arm][name] ??= []).push(values[index]);
      });
    });
    if (this.epochs.length > MOST_KEPT) this.thin();
  }

  drop() {
    this.epochs.pop();
    for (const columns of this.arms) for (const values of Object.values(columns)) values.pop();
  }

  thin() {
    this.stride *= 2;
    const kept = [];
    this.epochs.forEach((epoch, index) => {
      if (!kept.length || index === this.epochs.length - 1 || epoch - this.epochs[kept.at(-1)] >= this.stride) kept.push(index);
    });
    const only = (values) => kept.map((index) => values[index]);
    this.epochs = only(this.epochs);
    for (const columns of this.arms) for (const name of Object.keys(columns)) columns[name] = only(columns[name]);
  }
}
