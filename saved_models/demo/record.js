// Takes a person's lines between guides and saves them as recordings.json, which --data=json:recordings.json reads.
// Positions are in pen units: 21 from the base line to the top of a capital, as the model's training lines have.
import {element, say} from './parts.js';

const CAPITALS = 21, X_HEIGHT = 14, BASE = 56, LEFT = 12, WIDTH = 440;
const MOST = 40; // characters that the model is trained on
const KNOWN = ' !"\'(),-.0123456789:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const KEY = 'recordings';
// Every character that the model knows, most of them several times.
const PROMPTS = [
  'The quick brown fox', 'jumps over the lazy dog', 'Pack my box with five', 'dozen jugs, (all) full.',
  'How vexingly quick', 'daft zebras jump!', 'Sphinx of black quartz,', 'judge my vow: 1 or 20?',
  'We met at 9:45 - or so', 'Call 30672, then 81.', 'Is it yours? "Yes," he', 'said; nobody else was',
  'Alice, Bob and Carol', 'Dora, Emil, Fred, Gina', 'Hugo, Ida, Jim, Kate', 'Leo, Mona, Nora, Otto',
  'Paula, Quinn, Rosa, Sam', 'Tom, Uma, Vera, Will', 'Xenia, Yves and Zoe', "don't, can't, won't",
  'a letter to a friend', 'the rain in the night', 'what she wrote to him', 'when will you be here?',
];
const paper = element('paper'), text = element('text');
const svg = (name, attributes) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};
let lines = [], strokes = [], path = null, pointer = null;

const d = (points) => `M${points.map(([x, y]) => `${x} ${y}`).join('L')}${points.length === 1 ? 'h0.1' : ''}`;
const drawn = (points) => svg('path', {d: d(points)});

// Where the pen is, x from the left margin and y from the base line, downward.
function position(event) {
  const {x, y} = new DOMPoint(event.clientX, event.clientY).matrixTransform(paper.getScreenCTM().inverse());
  return [x - LEFT, y - BASE].map((value) => Math.round(value * 100) / 100);
}

function add(event) {
  const [x, y] = position(event), stroke = strokes.at(-1), [last, before] = stroke.at(-1) ?? [];
  if (x !== last || y !== before) stroke.push([x, y]);
}

function show() {
  const ink = svg('g', {transform: `translate(${LEFT} ${BASE})`, class: 'ink'});
  ink.append(...strokes.map(drawn));
  const guides = [-CAPITALS, -X_HEIGHT, 0].map((y) => svg('line', {x1: 0, x2: WIDTH, y1: BASE + y, y2: BASE + y}));
  paper.replaceChildren(...guides, ink);
  element('undo').disabled = element('clear').disabled = element('keep').disabled = !strokes.length;
  element('save').disabled = element('delete').disabled = !lines.length;
}

function list() {
  element('lines').replaceChildren(...lines.map((line, number) => {
    const item = document.createElement('li'), remove = document.createElement('button');
    const small = svg('svg', {viewBox: `0 0 ${WIDTH} 90`}), ink = svg('g', {transform: `translate(${LEFT} ${BASE})`});
    ink.append(...line.strokes.map(drawn));
    small.append(ink);
    remove.textContent = `Delete “${line.text}”`;
    remove.onclick = () => { lines.splice(number, 1); store(); };
    item.append(small, remove);
    return item;
  }));
}

// Kept in the browser at once, so that a closed page loses nothing.
function store() {
  try {
    localStorage.setItem(KEY, JSON.stringify(lines));
  } catch {
    say('This browser keeps nothing: save before you close the page.', true);
  }
  list();
  next();
}

function next() {
  const done = new Set(lines.map((line) => line.text));
  text.value = PROMPTS.find((prompt) => !done.has(prompt)) ?? '';
  strokes = [];
  show();
}

paper.addEventListener('pointerdown', (event) => {
  if (pointer !== null || event.button) return;
  event.preventDefault();
  pointer = event.pointerId;
  try { paper.setPointerCapture(pointer); } catch { /* a pointer that was made up */ }
  strokes.push([]);
  add(event);
  path = paper.querySelector('.ink').appendChild(drawn(strokes.at(-1)));
});

paper.addEventListener('pointermove', (event) => {
  if (event.pointerId !== pointer) return;
  const between = event.getCoalescedEvents?.() ?? []; // what a fast pen did since the last frame
  for (const each of between.length ? between : [event]) add(each);
  path.setAttribute('d', d(strokes.at(-1)));
});

for (const name of ['pointerup', 'pointercancel']) {
  paper.addEventListener(name, (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    if (name === 'pointercancel') strokes.pop(); // the browser took it for something else, such as a scroll
    show();
  });
}

element('undo').onclick = () => { strokes.pop(); show(); };
element('clear').onclick = () => { strokes = []; show(); };
element('delete').onclick = () => {
  if (!confirm(`Delete all ${lines.length} lines?`)) return;
  lines = [];
  store();
};

document.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const said = text.value.trim(), unknown = [...new Set(said)].filter((character) => !KNOWN.includes(character));
  if (!strokes.length) return say('Write the line on the paper first.', true);
  if (!said) return say('Type what you have written.', true);
  if (unknown.length) return say(`The model cannot learn ${unknown.join(' ')}; it knows${KNOWN}`, true);
  if (said.length > MOST) return say(`${said.length} characters are too many: at most ${MOST}.`, true);
  lines.push({text: said, strokes});
  say(`${lines.length} ${lines.length === 1 ? 'line' : 'lines'} kept in this browser; ` +
      (lines.length < PROMPTS.length ? `${PROMPTS.length} make a hand.` : 'more make it better.'));
  store();
});

element('save').onclick = () => {
  const link = document.createElement('a'), content = JSON.stringify({unit: 'pen units, y downward', lines});
  link.href = URL.createObjectURL(new Blob([`${content}\n`], {type: 'application/json'}));
  link.download = 'recordings.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

try {
  lines = JSON.parse(localStorage.getItem(KEY) ?? '[]');
} catch {
  lines = [];
}
list();
next();
say(lines.length ? `${lines.length} lines are here from before.` : 'Copy the text between the lines with a pen, a finger or the mouse.');
