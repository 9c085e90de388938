import {uniform} from './model.js';
import {element, nextFrame, say} from './parts.js';
import {Writer} from './writer.js';

const MOST = 5000; // characters
const button = element('write'), stop = element('stop'), shown = element('text');
let writer, running = 0;

async function write() {
  const [temperature, length, seed] = ['temperature', 'length', 'seed'].map((id) => Number(element(id).value));
  const prompt = element('prompt').value, unknown = writer.unknown(prompt);
  if (unknown.length) return say(`The network has never read ${unknown.join(' ')}`, true);
  if (!(length >= 1 && length <= MOST)) return say(`From 1 to ${MOST} characters.`, true);
  const mine = ++running; // a new press ends the writing before
  stop.disabled = false;
  const head = document.createElement('b'), tail = document.createTextNode('');
  head.textContent = prompt;
  shown.replaceChildren(head, tail);
  const began = performance.now();
  let count = 0;
  for await (const character of writer.write(prompt, temperature, uniform(seed))) {
    if (mine !== running) return;
    tail.appendData(character);
    if (++count >= length || stop.disabled) break;
    if (count % 8 === 0) await nextFrame();
  }
  stop.disabled = true;
  const milliseconds = performance.now() - began;
  say(`${count} characters in ${milliseconds.toFixed(0)} ms, ${(milliseconds / count).toFixed(1)} ms each.`);
}

document.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (writer) write().catch((error) => say(`It does not write: ${error.message}`, true));
});

stop.onclick = () => { stop.disabled = true; };

try {
  const folder = '../text_prediction';
  writer = await Writer.load(`${folder}/model_dynamic.tflite`, `${folder}/card.json`, './node_modules/@litertjs/core/wasm/');
  button.disabled = false;
  say('Type how it begins, and press Write.');
} catch (error) {
  say(`The model does not load: ${error.message}. Was the page started with ./run web?`, true);
}
