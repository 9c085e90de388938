// A .tflite in the browser: LiteRT's WebAssembly runtime, and its card, which says what each signature takes.
let Tensor; // of the runtime, which is loaded with the first model: a page whose runtime is missing can say so

export class Model {
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
    return new Model(await runtime.loadAndCompile(bytes, {accelerator: 'wasm'}), card);
  }

  constructor(model, card) {
    this.model = model;
    this.card = card;
  }

  // What a signature takes, by name: shapes, dtypes, units.
  inputs(signature) {
    return this.card.signatures[signature].inputs;
  }

  zeros(signature, name) {
    return new Float32Array(this.inputs(signature)[name].shape.reduce((size, axis) => size * axis, 1));
  }

  // Calls a signature with typed arrays by name, and gives what comes of it by name.
  async call(signature, given) {
    const tensors = {}, inputs = this.inputs(signature), read = {};
    for (const name in given) tensors[name] = new Tensor(given[name], inputs[name].shape);
    const outputs = await this.model.signatures[signature].run(tensors);
    for (const name in tensors) tensors[name].delete();
    for (const name in outputs) {
      const tensor = await outputs[name].moveTo('wasm');
      read[name] = tensor.toTypedArray().slice(); // a copy: the memory is the runtime's
      tensor.delete();
    }
    return read;
  }
}

// Numbers in [0, 1), the same for the same seed: mulberry32.
export function uniform(seed) {
  let state = (seed + 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
