// The text of one choice in the DOM. Model output becomes text nodes, never markup.

const MARKS = { " ": "space", "\t": "tab", "\n": "newline", "\u00a0": "nbsp" };
const STICK_PX = 24;
const BLOCK = 1500; // characters
const LINE_BREAK = /[^\n]\n(?=[^\n])/g;

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
    this.empty();
    this.stuck = true;
    this.top = 0;
  }

  empty() {
    this.element.replaceChildren();
    this.length = 0;
    this.begin(this.element);
  }

  // Show the rest of `text`, of which the beginning is there already.
  grow(text) {
    let fresh = text.slice(this.length);
    this.length = text.length;
    while (fresh) {
      const cut = this.breakIn(fresh);
      this.put(fresh.slice(0, cut));
      fresh = fresh.slice(cut);
      if (fresh) this.closeBlock();
    }
  }

  // Browsers lay a block out anew with every word it gets, so long texts are several blocks, which meet at ends of lines.

  begin(holder) {
    this.holder = holder;
    this.node = null;
    this.size = 0;
    this.ending = "";
  }

  // Where in `fresh` the next block begins: after a single line break that comes late enough; at the end if there is none.
  breakIn(fresh) {
    const late = Math.max(0, BLOCK - this.size);
    if (late > fresh.length) return fresh.length;
    LINE_BREAK.lastIndex = late;
    const match = LINE_BREAK.exec(this.ending + fresh);
    return match ? match.index + 2 - this.ending.length : fresh.length;
  }

  // The line break itself is what ends a block; it stays in the text, unseen.
  closeBlock() {
    const last = this.holder.lastChild;
    if (last.data?.length > 1) last.deleteData(last.length - 1, 1);
    else last.remove();
    if (this.marked) this.holder.append(make("span", "mark-newline"));
    this.element.append(make("span", "", { hidden: "" }, "\n"));
    const block = make("div", "panel-block");
    this.element.append(block);
    this.begin(block);
  }

  put(fresh) {
    if (!fresh) return;
    if (this.marked) this.putMarked(fresh);
    else if (this.node) this.node.appendData(fresh);
    else this.holder.append((this.node = document.createTextNode(fresh)));
    this.size += fresh.length;
    this.ending = (this.ending + fresh).slice(-2);
  }

  // Each mark is generated content of an element around the untouched character: what is selected and copied stays the same.
  putMarked(fresh) {
    const parts = document.createDocumentFragment();
    for (const part of fresh.split(/([ \t\n\u00a0])/)) {
      if (part) parts.append(part in MARKS ? make("span", `mark-${MARKS[part]}`, {}, part) : part);
    }
    this.holder.append(parts);
    this.node = null;
  }

  mark(marked, text) {
    if (marked === this.marked) return;
    this.marked = marked;
    const { scrollTop } = this.element;
    this.empty();
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
