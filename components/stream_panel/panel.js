// One slot's panel: state line, tools, a text per choice, errors. Streamlit calls the default export again on every rerun and theme
// change; everything here belongs to the element it is drawn into and is made once.

const ICONS = {
  whitespace: "M13 4v16M17 4v16M19 4H9.5a4.5 4.5 0 0 0 0 9H13",
  copy: "M9 9h10a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2zM5 15H4a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v1",
  done: "M4 12.5l5 5L20 6.5",
  stop: "M7 6h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1z",
};
// After these milliseconds the end of a run is told again where no script has heard of it, each time after twice as long, up to the last.
const TELL_AGAIN_MS = 3000;
const TELL_LAST_MS = 96000;
const DRAWN_WITHIN_MS = 2000;
const LOOK_AGAIN_MS = 25;
const instances = new WeakMap();

function icon(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

function button(name, label, action) {
  const element = make("button", `panel-button panel-${name}`, { type: "button", "aria-label": label, title: label }, icon(name));
  element.addEventListener("click", action);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const seconds = (value) => `${value < 100 ? value.toFixed(1) : Math.round(value)} s`;
const took = (value) => (value < 0.1 ? `${Math.max(1, Math.round(value * 1000))} ms` : seconds(value));
const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

// Why a run is queued: how many places are taken, and when there is one more by itself.
function waits(wait) {
  if (!wait) return "";
  const until = wait.until && new Date(wait.until * 1000).toLocaleTimeString();
  const slowed = wait.slowed && `slowed down after 429${until ? `, the next place by ${until}` : ""}`;
  return [`waits for a place: ${wait.running} of ${wait.allowed} in use`, slowed].filter(Boolean).join(", ");
}

// The state line. What is counted while text comes are its pieces; the router's own count takes their place at the end.
function describe(model, now) {
  const running = ["queued", "waiting", "streaming"].includes(model.status);
  const time = (running ? seconds : took)(model.seconds(now));
  const count = model.tokens == null ? `≈ ${counted(model.pieces, "token")}` : counted(model.tokens, "token");
  switch (model.status) {
    case "queued":
      return [model.queue ? `queued · #${model.queue}` : "queued", waits(model.wait)].filter(Boolean).join(" · ");
    case "waiting":
      return `waiting for the first token · ${time}`;
    case "streaming":
      return `streaming · ${time} · ${count}`;
    case "finished":
      return ["finished", model.choices === 1 && model.finish[0], time, count].filter(Boolean).join(" · ");
    case "stopped":
      return `stopped by you at ${time} · ${count}`;
    case "failed": {
      const { status, retry_after_s: retry } = model.error ?? {};
      return ["failed", status, retry != null && `try again in ${Math.ceil(retry)} s`, `after ${time}`].filter(Boolean).join(" · ");
    }
    default:
      return `interrupted at ${time} · ${count}`;
  }
}

class Panel {
  constructor(parent) {
    this.model = null;
    this.texts = [];
    this.chosen = 0;
    this.build(parent);
  }

  build(parent) {
    this.dot = make("span", "panel-dot", { "aria-hidden": "true" });
    this.name = make("span", "panel-name", {}, "Output");
    this.state = make("span", "panel-state");
    this.state.addEventListener("mouseenter", () => (this.state.title = this.state.textContent));
    this.stopButton = button("stop", "Stop this run", () => this.stop());
    this.whitespaceButton = button("whitespace", "Show whitespace", () => this.setWhitespace(!this.whitespace));
    this.copyButton = button("copy", "Copy the text", () => this.copy());
    const tools = make("span", "panel-tools", {}, this.stopButton, this.whitespaceButton, this.copyButton);
    this.tabs = make("div", "panel-tabs", { role: "tablist", "aria-label": "Choices" });
    this.tabs.addEventListener("keydown", (event) => this.tabKey(event));
    this.empty = make("div", "panel-empty");
    this.latest = make("button", "panel-latest", { type: "button" }, "Latest ↓");
    this.latest.addEventListener("click", () => this.takeHold());
    this.error = make("div", "panel-error");
    this.body = make("div", "panel-body", {}, this.tabs, this.empty, this.error, this.latest);
    this.announcer = new Announcer();
    const bar = make("div", "panel-bar", {}, this.dot, this.name, this.state, tools);
    this.root = make("section", "panel", { "aria-label": "Output" }, bar, this.body, this.announcer.element);
    this.style = make("style", "", {}, STYLE);
    parent.append(this.style, this.root);
    this.textFor(0);
  }

  // From Streamlit

  update({ data, setTriggerValue }) {
    this.fire = setTriggerValue;
    this.data = data;
    this.root.dataset.panel = data.slot;
    this.root.style.setProperty("--panel-height", data.height ? `${data.height}px` : "");
    setText(this.empty, data.placeholder);
    this.setWhitespace(shared.whitespace.get(data.slot) ?? false);
    const feed = Feed.of(`${data.base}/api/channels/${encodeURIComponent(data.channel)}`, data.channel_token);
    if (feed !== this.feed || data.slot !== this.slot) {
      this.feed?.leave(this.slot, this);
      this.feed = feed;
      this.slot = data.slot;
      feed.join(this.slot, this);
      this.show(feed.models.get(this.slot) ?? null);
      return;
    }
    this.tell();
  }

  remove() {
    this.feed?.leave(this.slot, this);
    this.root.remove();
    this.style.remove();
  }

  // From the feed

  // Begin with another run, or with none. The text's element stays, so nothing jumps.
  show(model) {
    this.model = model;
    this.chosen = 0;
    for (const text of this.texts) text.clear();
    for (const text of this.texts.splice(1)) text.element.remove();
    if (this.stopping !== model?.run) this.stopping = null;
    this.stopError = "";
    this.announcer.reset(0);
    this.error.replaceChildren();
    this.grow();
    this.follow();
  }

  // Put new text into the DOM. Called in an animation frame, for all panels before any of them measures anything in follow().
  grow() {
    const model = this.model;
    if (!model) return;
    while (this.texts.length < model.choices) this.textFor(this.texts.length);
    for (const [index, text] of model.texts) this.textFor(index).grow(text);
    const text = model.texts.get(this.chosen) ?? "";
    if (model.replayed) {
      this.announcer.skip(text.length);
      model.replayed = !model.texts.size && !model.ended;
    } else {
      this.announcer.hear(text, model.ended);
    }
  }

  follow() {
    this.texts[this.chosen].follow();
    this.tell();
  }

  // Bring everything but the text up to date.
  tell() {
    const model = this.model;
    const run = this.running;
    const stopping = Boolean(run) && this.stopping === run.run;
    const status = model?.status ?? run?.status ?? "ready";
    this.root.dataset.status = stopping ? "stopping" : status;
    this.root.dataset.run = model?.run ?? "";
    this.name.hidden = status !== "ready";
    const offline = this.feed && !this.feed.online ? " · connection lost, trying again…" : "";
    this.root.dataset.text = String(Boolean(model?.texts.size));
    const state = model ? describe(model, performance.now()) : (run?.status ?? "");
    const told = (stopping && "stopping…") || (run && this.stopError) || state;
    setText(this.state, told ? told + offline : offline.slice(3));
    const hasText = Boolean(model?.texts.size);
    this.empty.hidden = status !== "ready";
    this.stopButton.hidden = !run;
    this.stopButton.disabled = stopping;
    this.copyButton.disabled = !hasText;
    this.whitespaceButton.disabled = !hasText;
    this.showTabs();
    this.showLatest();
    if (model?.ended) this.close();
  }

  // The run ended: say so once to screen readers, once to Python.
  close() {
    const { model } = this;
    if (model.error && !this.error.hasChildNodes()) this.showError(model.error);
    if (this.closed === model) return;
    this.closed = model;
    const known = this.pythonKnows(model);
    if (!known) this.announcer.say(model.error ? `Failed. ${model.error.cause} ${model.error.next_step ?? ""}` : this.state.textContent);
    if (known || shared.told.has(model.run)) return;
    shared.told.add(model.run);
    // Later than the frame: a rerun keeps the browser busy while other panels may be about to show their last words.
    setTimeout(() => this.tellPython(model, TELL_AGAIN_MS), 40);
  }

  pythonKnows(model) {
    return this.data.run === model.run && ENDED.has(this.data.status);
  }

  // Say that the run ended, and again at growing intervals until a script knows: what is said while Streamlit's connection is down is lost.
  // It waits until the script that started the run is drawn, for a rerun before that would send the widgets as they were.
  tellPython(model, againMs, waitedMs = 0) {
    if (this.model !== model || this.pythonKnows(model) || !this.root.isConnected) return;
    if (this.data.run !== model.run && waitedMs < DRAWN_WITHIN_MS) {
      setTimeout(() => this.tellPython(model, againMs, waitedMs + LOOK_AGAIN_MS), LOOK_AGAIN_MS);
      return;
    }
    this.fire("done", model.run);
    if (againMs <= TELL_LAST_MS) setTimeout(() => this.tellPython(model, againMs * 2), againMs);
  }

  // Choices

  textFor(index) {
    while (this.texts.length <= index) {
      const text = new ChoiceText(this.texts.length);
      text.mark(Boolean(this.whitespace), "");
      text.onscroll = () => this.showLatest();
      text.element.id = `text-${text.index}`;
      text.element.hidden = text.index !== this.chosen;
      this.texts.push(text);
      this.body.insertBefore(text.element, this.empty);
      this.label();
    }
    return this.texts[index];
  }

  label() {
    const several = this.texts.length > 1;
    for (const text of this.texts) {
      text.element.setAttribute("role", several ? "tabpanel" : "region");
      text.element.setAttribute("aria-label", several ? `Choice ${text.index + 1}` : "Output text");
    }
  }

  showTabs() {
    const count = this.texts.length;
    this.tabs.hidden = count < 2;
    if (count < 2) return this.tabs.replaceChildren();
    while (this.tabs.childElementCount > count) this.tabs.lastElementChild.remove();
    while (this.tabs.childElementCount < count) {
      const index = this.tabs.childElementCount;
      const tab = make("button", "panel-tab", { type: "button", role: "tab", "aria-controls": `text-${index}`, "data-choice": index });
      tab.append(make("span", "panel-tab-name", {}, `Choice ${index + 1}`), make("span", "panel-tab-reason"));
      tab.addEventListener("click", () => this.choose(index));
      this.tabs.append(tab);
    }
    [...this.tabs.children].forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === this.chosen));
      tab.tabIndex = index === this.chosen ? 0 : -1;
      setText(tab.lastElementChild, this.model?.finish[index] ?? "");
    });
    return undefined;
  }

  choose(index) {
    this.chosen = index;
    for (const text of this.texts) text.element.hidden = text.index !== index;
    this.announcer.skip((this.model?.texts.get(index) ?? "").length);
    this.texts[index].follow();
    this.tell();
  }

  tabKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const count = this.texts.length;
    const ends = { Home: 0, End: count - 1 };
    if (step === undefined && !(event.key in ends)) return;
    event.preventDefault();
    this.choose(event.key in ends ? ends[event.key] : (this.chosen + step + count) % count);
    this.tabs.children[this.chosen].focus();
  }

  // Following

  showLatest() {
    const text = this.texts[this.chosen];
    this.latest.hidden = !this.model?.live || text.stuck || !text.below;
  }

  takeHold() {
    const text = this.texts[this.chosen];
    text.stuck = true;
    text.follow();
    text.element.focus({ preventScroll: true });
    this.showLatest();
  }

  // Tools

  setWhitespace(on) {
    this.whitespace = on;
    if (this.slot) shared.whitespace.set(this.slot, on);
    this.whitespaceButton.setAttribute("aria-pressed", String(on));
    for (const text of this.texts) text.mark(on, this.model?.texts.get(text.index) ?? "");
  }

  async copy() {
    const text = this.model?.texts.get(this.chosen) ?? "";
    const copied = await copyText(text);
    this.copyButton.replaceChildren(icon(copied ? "done" : "copy"));
    this.copyButton.classList.toggle("panel-copied", copied);
    this.announcer.say(copied ? "Copied." : "The browser did not allow copying; select the text instead.");
    clearTimeout(this.copyTimer);
    this.copyTimer = setTimeout(() => {
      this.copyButton.replaceChildren(icon("copy"));
      this.copyButton.classList.remove("panel-copied");
    }, 1500);
  }

  // What can be stopped, and with which token: the run shown, or one that Python knows and the feed has not told of yet.
  get running() {
    if (this.model) return this.model.live ? this.model : null;
    const { run, run_token: token, status } = this.data ?? {};
    return run && status && !ENDED.has(status) ? { run, token, status } : null;
  }

  async stop() {
    const target = this.running;
    if (!target || this.stopping === target.run) return;
    this.stopping = target.run;
    this.stopError = "";
    this.tell();
    try {
      const query = new URLSearchParams({ token: target.token });
      const answer = await fetch(`${this.data.base}/api/runs/${encodeURIComponent(target.run)}/stop?${query}`, { method: "POST" });
      if (!answer.ok) throw new Error((await answer.json()).error);
    } catch (problem) {
      this.stopping = null;
      this.stopError = `not stopped: ${problem.message || "the playground did not answer"}`;
    }
    this.tell();
  }

  showError(error) {
    const facts = [error.code && !error.cause.includes(error.code) && error.code, error.param && `field ${error.param}`, error.request_id && `request ${error.request_id}`].filter(Boolean).join(" · ");
    this.error.append(make("p", "panel-cause", { dir: "auto" }, error.cause));
    if (error.next_step) this.error.append(make("p", "panel-next", { dir: "auto" }, error.next_step));
    if (facts) this.error.append(make("p", "panel-facts", {}, facts));
  }
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard outside https and localhost: the old way, from a field outside the shadow root.
    const field = make("textarea", "", { style: "position:fixed;opacity:0", "aria-hidden": "true" });
    field.value = text;
    const focused = document.activeElement;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    focused?.focus?.();
    return copied;
  }
}

// Streamlit may call again before an earlier call has been answered, and then ends that earlier one: only the latest call's end counts.
export default function (component) {
  const parent = component.parentElement;
  let panel = instances.get(parent);
  if (!panel) instances.set(parent, (panel = new Panel(parent)));
  panel.update(component);
  const call = (panel.calls = (panel.calls ?? 0) + 1);
  return () => {
    if (call !== panel.calls) return;
    panel.remove();
    instances.delete(parent);
  };
}
