// What the pages share.
export const element = (id) => document.getElementById(id);

export function say(text, isError = false) {
  element('status').textContent = text;
  element('status').classList.toggle('error', isError);
}

export const nextFrame = () => new Promise((done) => requestAnimationFrame(done));
