import {element, nextFrame, say} from './parts.js';
import {lines, noise, Pen} from './pen.js';

const LINE = 24; // characters; the network was trained on lines up to this long
const MOST = 200; // characters in all
const LEADING = 44; // pen units between two baselines
const paper = element('paper'), button = element('write'), save = element('save');
let pen, running = 0;

// A curve through the middles between points: what a hand does between them.
function curve(points) {
  const at = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  if (points.length < 3) return `M${points.map(at).join('L')}${points.length === 1 ? 'h0.1' : ''}`;
  let d = `M${at(points[0])}`;
  for (let i = 1; i < points.length - 1; i++) {
    const [a, b, c] = [points[i - 1], points[i], points[i + 1]];
    const [ux, uy, vx, vy] = [b[0] - a[0], b[1] - a[1], c[0] - b[0], c[1] - b[1]];
    const isCorner = ux * vx + uy * vy < 0.3 * Math.hypot(ux, uy) * Math.hypot(vx, vy);
    d += isCorner ? `L${at(b)}` : `Q${at(b)} ${at([(b[0] + c[0]) / 2, (b[1] + c[1]) / 2])}`;
  }
  return `${d}L${at(points.at(-1))}`;
}

async function write() {
  const text = element('text').value.trim();
  const unknown = pen.unknown(text.replace(/\s/g, ' '));
  const long = lines(text, LINE).find((line) => line.length > pen.maxCharacters);
  if (!text) return say('Type a text first.', true);
  if (unknown.length) return say(`The pen cannot write ${unknown.join(' ')} — it knows ${pen.alphabet}`, true);
  if (text.length > MOST) return say(`${text.length} characters are too many: at most ${MOST}.`, true);
  if (long) return say(`${long} is too long a word: at most ${pen.maxCharacters} characters.`, true);
  const mine = ++running; // a new press ends the writing before
  button.textContent = 'Again';
  save.disabled = true;
  paper.replaceChildren();
  const broken = lines(text, LINE), bias = Number(element('bias').value), seed = Number(element('seed').value);
  let width = Math.max(...broken.map((line) => 14 * line.length)), milliseconds = 0, numPoints = 0;
  for (const [row, line] of broken.entries()) {
    let x = 10, y = 34 + row * LEADING, points = [], path = null, sinceFrame = 0, began = performance.now();
    for await (const [dx, dy, up] of pen.write(line, bias, noise(pen.maxPoints, seed))) {
      milliseconds += performance.now() - began;
      if (mine !== running) return;
      x += dx;
      y += dy;
      numPoints++;
      points.push([x, y]);
      width = Math.max(width, x);
      if (!path) path = paper.appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'path'));
      path.setAttribute('d', curve(points));
      paper.setAttribute('viewBox', `0 -10 ${Math.ceil(width) + 20} ${26 + broken.length * LEADING}`);
      if (up > 0.5) {
        points = [];
        path = null;
      }
      if (++sinceFrame % 3 === 0) await nextFrame(); // as fast as a hand
      began = performance.now();
    }
    milliseconds += performance.now() - began;
  }
  save.disabled = false;
  say(`${numPoints} points in ${milliseconds.toFixed(0)} ms, ${(milliseconds / broken.length).toFixed(0)} ms a line.`);
}

document.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (pen) write().catch((error) => say(`It does not write: ${error.message}`, true));
});

save.addEventListener('click', () => {
  const copy = paper.cloneNode(true);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  for (const path of copy.querySelectorAll('path')) {
    for (const [name, value] of [['fill', 'none'], ['stroke', '#1a2b4a'], ['stroke-width', '1.5']]) path.setAttribute(name, value);
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([copy.outerHTML], {type: 'image/svg+xml'}));
  link.download = 'handwriting.svg';
  link.click();
  URL.revokeObjectURL(link.href);
});

try {
  const folder = '../handwriting_synthesis';
  pen = await Pen.load(`${folder}/model.tflite`, `${folder}/card.json`, './node_modules/@litertjs/core/wasm/');
  button.disabled = false;
  say('Type, and press Write.');
  const asked = new URLSearchParams(location.search); // ?text=...&bias=...&seed=... writes at once
  for (const name of ['text', 'bias', 'seed']) if (asked.has(name)) element(name).value = asked.get(name);
  if (asked.has('text')) document.querySelector('form').requestSubmit();
} catch (error) {
  say(`The model does not load: ${error.message}. Was the page started with ./run web?`, true);
}
