// The network of text, character by character: its `step` signature, the loop here.
import {Model} from './model.js';

export class Writer {
  static async load(...urls) {
    return new Writer(await Model.load(...urls));
  }

  constructor(model) {
    this.model = model;
    this.tokens = model.card.vocabulary.tokens;
    this.characters = this.tokens.map((token) => ([...token].length === 1 ? token : null)); // null: such as <unk>
    this.states = Object.keys(model.inputs('step')).filter((name) => name !== 'token');
  }

  // What the network has never read, each character once.
  unknown(text) {
    return [...new Set([...text].filter((character) => !this.characters.includes(character)))];
  }

  // Yields the characters that carry a text on, for ever. `next` gives uniform numbers.
  async *write(prompt, temperature, next) {
    const given = {token: new Int32Array([0])};
    for (const name of this.states) given[name] = this.model.zeros('step', name);
    const read = async (character) => {
      given.token = new Int32Array([character === null ? 0 : character.codePointAt(0)]);
      const found = await this.model.call('step', given);
      for (const name of this.states) given[name] = found[`next_${name}`];
      return found.logits;
    };
    let logits = await read(null);
    for (const character of prompt) logits = await read(character);
    for (;;) {
      const character = this.characters[this.draw(logits, temperature, next())];
      yield character;
      logits = await read(character);
    }
  }

  // The token at which the sum of the probabilities passes a uniform number; at temperature 0 the likeliest one.
  draw(logits, temperature, number) {
    const known = logits.map((value, token) => (this.characters[token] === null ? -Infinity : value));
    const most = known.reduce((a, b) => Math.max(a, b));
    if (!(temperature > 1e-4)) return known.indexOf(most);
    const shares = Array.from(known, (value) => Math.exp((value - most) / temperature));
    let left = number * shares.reduce((a, b) => a + b);
    for (let token = 0; token < shares.length; token++) {
      left -= shares[token];
      if (left < 0) return token;
    }
    return known.indexOf(most);
  }
}
