// The handwriting network, point by point: its `step` signature, the loop here.
import {Model, uniform} from './model.js';

export class Pen {
  static async load(...urls) {
    return new Pen(await Model.load(...urls));
  }

  constructor(model) {
    this.model = model;
    this.alphabet = model.card.alphabet;
    this.inputs = model.inputs('step');
    this.maxCharacters = this.inputs.text.shape[1] - 1; // a zero ends the text
    this.maxPoints = model.inputs('generate_from_noise').noise.shape[1];
    this.moved = Object.keys(this.inputs).filter((name) => !['text', 'bias', 'noise'].includes(name));
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
    const given = {text: codes, bias: new Float32Array([bias])};
    for (const name of this.moved) given[name] = this.model.zeros('step', name);
    for (let t = 0; t < this.maxPoints; t++) {
      given.noise = noise.slice(4 * t, 4 * t + 4);
      const read = await this.model.call('step', given);
      // The line ends when the window has left its text.
      if (read.weights[text.length] > Math.max(...read.weights.subarray(0, text.length))) return;
      yield read.stroke;
      for (const name of this.moved) given[name] = read[`next_${name}`];
    }
  }
}

// The same noise for the same seed: for each point a uniform number, two normal ones and a uniform one.
export function noise(numPoints, seed) {
  const next = uniform(seed), numbers = new Float32Array(4 * numPoints);
  for (let i = 0; i < numbers.length; i += 4) {
    const radius = Math.sqrt(-2 * Math.log(1 - next())), angle = 2 * Math.PI * next(); // Box and Muller
    numbers.set([next(), radius * Math.cos(angle), radius * Math.sin(angle), next()], i);
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
