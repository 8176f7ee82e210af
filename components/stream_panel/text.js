// The text of one choice in the DOM. Model output becomes text nodes, never markup.

const WHITESPACE = /[ \t\n\u00a0]/;
const MARKS = { " ": "space", "\t": "tab", "\n": "newline", "\u00a0": "nbsp" };
const STICK_PX = 24;

function make(tag, className, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

class ChoiceText {
  constructor(index) {
    this.index = index;
    this.element = make("div", "panel-text", { "data-choice": index, tabindex: "0", role: "region", dir: "auto" });
    this.element.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.marked = false;
    this.clear();
  }

  clear() {
    this.element.replaceChildren();
    this.node = null;
    this.length = 0;
    this.stuck = true;
    this.top = 0;
  }

  // Show the rest of `text`, of which the beginning is there already. Returns what was new.
  grow(text) {
    if (text.length <= this.length) return "";
    const fresh = text.slice(this.length);
    this.length = text.length;
    if (this.marked) this.appendMarked(fresh);
    else this.appendPlain(fresh);
    return fresh;
  }

  appendPlain(fresh) {
    if (this.node) this.node.appendData(fresh);
    else this.element.append((this.node = document.createTextNode(fresh)));
  }

  // Each mark is generated content of an element around the untouched character: what is selected and copied stays the same.
  appendMarked(fresh) {
    const parts = document.createDocumentFragment();
    for (const part of fresh.split(/([ \t\n\u00a0])/)) {
      if (!part) continue;
      parts.append(WHITESPACE.test(part[0]) && part.length === 1 ? make("span", `mark-${MARKS[part]}`, {}, part) : part);
    }
    this.element.append(parts);
    this.node = null;
  }

  mark(marked, text) {
    if (marked === this.marked) return;
    this.marked = marked;
    const { scrollTop } = this.element;
    this.element.replaceChildren();
    this.node = null;
    this.length = 0;
    this.grow(text);
    this.element.scrollTop = scrollTop;
  }

  // Following the text ends when the reader scrolls up, and begins again at the bottom. Text that grows never scrolls up by itself.
  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    if (scrollHeight - scrollTop - clientHeight < STICK_PX) this.stuck = true;
    else if (scrollTop < this.top - 1) this.stuck = false;
    this.top = scrollTop;
    this.onscroll?.();
  }

  follow() {
    if (!this.stuck) return;
    this.element.scrollTop = this.element.scrollHeight;
    this.top = this.element.scrollTop;
  }

  get below() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight >= STICK_PX;
  }
}

// Says the text to screen readers: whole sentences, some at a time, each once.
const SENTENCE_END = /[.!?…]["'”’»)\]]*\s|[。！？]|\n/g;
const LONG = 400;
const SPEAK_MS = 1000;

class Announcer {
  constructor() {
    this.element = make("div", "panel-said", { "aria-live": "polite", role: "log", "aria-relevant": "additions" });
    this.reset(0);
  }

  reset(position) {
    clearTimeout(this.timer);
    this.timer = 0;
    this.position = position;
    this.element.replaceChildren();
  }

  skip(position) {
    this.position = position;
  }

  hear(text, ended) {
    this.text = text;
    if (ended) this.speak(true);
    else this.timer ||= setTimeout(() => this.speak(false), this.said ? SPEAK_MS : 0);
  }

  speak(ended) {
    clearTimeout(this.timer);
    this.timer = 0;
    const rest = this.text.slice(this.position);
    const upTo = ended ? rest.length : this.sentences(rest);
    if (!upTo) return;
    this.position += upTo;
    this.say(rest.slice(0, upTo));
  }

  sentences(rest) {
    let end = 0;
    for (const match of rest.matchAll(SENTENCE_END)) end = match.index + match[0].length;
    return end || (rest.length > LONG ? rest.lastIndexOf(" ") + 1 : 0);
  }

  say(text) {
    if (!text.trim()) return;
    this.said = true;
    this.element.append(make("div", "", {}, text.trim()));
    while (this.element.childElementCount > 6) this.element.firstElementChild.remove();
  }
}
