// The handwriting network, point by point: its `step` signature in LiteRT's WebAssembly, the loop here.
let Tensor; // of the runtime, which is loaded with the network: a page whose runtime is missing can say so

export class Pen {
  // Loads the network and its card, which says what it takes.
  static async load(modelUrl, cardUrl, wasmUrl) {
    const answer = await fetch(cardUrl);
    if (!answer.ok) throw new Error(`${cardUrl}: ${answer.status} ${answer.statusText}`);
    const card = await answer.json();
    const model = await fetch(modelUrl);
    if (!model.ok) throw new Error(`${modelUrl}: ${model.status} ${model.statusText}`);
    const missing = () => {
      throw new Error('the runtime (@litertjs/core) is not there');
    };
    const runtime = await import('@litertjs/core').catch(missing);
    Tensor = runtime.Tensor;
    // A script that is not there comes as an event without a message.
    await runtime.loadLiteRt(wasmUrl).catch((error) => (error instanceof Error ? Promise.reject(error) : missing()));
    const bytes = new Uint8Array(await model.arrayBuffer());
    return new Pen(await runtime.loadAndCompile(bytes, {accelerator: 'wasm'}), card);
  }

  constructor(model, card) {
    this.step = model.signatures.step;
    this.inputs = card.signatures.step.inputs;
    this.alphabet = card.alphabet;
    this.maxCharacters = this.inputs.text.shape[1] - 1; // a zero ends the text
    this.maxPoints = card.signatures.generate_from_noise.inputs.noise.shape[1];
    this.states = Object.keys(this.inputs).filter((name) => !['text', 'bias', 'noise', 'offset'].includes(name));
  }

  // What cannot be written, each character once.
  unknown(text) {
    return [...new Set([...text].filter((character) => !this.alphabet.includes(character)))];
  }

  // Yields the offsets [dx, dy, whether a stroke ends] of one line, in pen units. `noise` holds for each point a uniform
  // number, two normal ones and a uniform one.
  async *write(text, bias, noise) {
    const codes = new Int32Array(this.inputs.text.shape[1]);
    codes.set([...text].map((character) => character.codePointAt(0)));
    const fixed = {text: new Tensor(codes, this.inputs.text.shape), bias: new Tensor(new Float32Array([bias]), [1])};
    const zeros = (name) => new Float32Array(this.inputs[name].shape.reduce((size, axis) => size * axis, 1));
    const moved = Object.fromEntries(['offset', ...this.states].map((name) => [name, zeros(name)]));
    try {
      for (let t = 0; t < this.maxPoints; t++) {
        const given = {...fixed, noise: new Tensor(noise.slice(4 * t, 4 * t + 4), [1, 4])};
        for (const name in moved) given[name] = new Tensor(moved[name], this.inputs[name].shape);
        const outputs = await this.step.run(given);
        for (const name in given) if (!(name in fixed)) given[name].delete();
        const read = {};
        for (const name in outputs) {
          const tensor = await outputs[name].moveTo('wasm');
          read[name] = tensor.toTypedArray().slice(); // a copy: the memory is the runtime's
          tensor.delete();
        }
        // The line ends when the window has left its text.
        if (read.weights[text.length] > Math.max(...read.weights.subarray(0, text.length))) return;
        yield read.stroke;
        for (const name in moved) moved[name] = read[`next_${name}`];
      }
    } finally {
      fixed.text.delete();
      fixed.bias.delete();
    }
  }
}

// The same noise for the same seed: for each point a uniform number, two normal ones and a uniform one.
export function noise(numPoints, seed) {
  let state = (seed + 0x9e3779b9) >>> 0;
  const uniform = () => { // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const numbers = new Float32Array(4 * numPoints);
  for (let i = 0; i < numbers.length; i += 4) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform(); // Box and Muller
    numbers.set([uniform(), radius * Math.cos(angle), radius * Math.sin(angle), uniform()], i);
  }
  return numbers;
}

// Words in lines of at most so many characters; a longer word has a line of its own.
export function lines(text, most) {
  const broken = [];
  for (const word of text.trim().split(/\s+/)) {
    const last = broken.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) broken[broken.length - 1] = `${last} ${word}`;
    else broken.push(word);
  }
  return broken;
}
