// Frames: from bytes to what is drawn, and the losses of all frames so far.

const MOST_KEPT = 4000;

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
  return head;
}

export class Losses {
  constructor() { this.clear(); }

  clear() {
    this.epochs = [];
    this.arms = [{}, {}];
  }

  add(frame) {
    if (frame.fresh) this.clear();
    this.epochs.push(...frame.epochs);
    frame.losses.forEach((columns, arm) => {
      for (const [name, values] of Object.entries(columns)) (this.arms[arm][name] ??= []).push(...values);
    });
    if (this.epochs.length > MOST_KEPT) this.thin();
  }

  thin() { // every second of them, the last one always
    const kept = (values) => values.filter((_, index) => (values.length - 1 - index) % 2 === 0);
    this.epochs = kept(this.epochs);
    for (const columns of this.arms) for (const name of Object.keys(columns)) columns[name] = kept(columns[name]);
  }
}
