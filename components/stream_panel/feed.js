// What a page knows of its runs, and the one connection it hears of them through.
// A Feed belongs to a channel, not to a panel: panels come and go with reruns, the feed keeps texts and its place in each stream.

const ENDED = new Set(["finished", "stopped", "failed", "interrupted"]);
const HELLO_MS = 2500; // no hello in this time: something in between buffers, so poll
const FAILURES = 4; // this many broken connections without a hello in between: poll
const POLL_WAIT_S = 8; // a poll is answered when there is something, or after this
const POLL_GAP_MS = 60;
const HIDDEN_AFTER_MS = 5000; // a hidden page gives its connection back: browsers allow six per host, over all tabs
const HIDDEN_POLL_MS = 2000;
const CLOSE_AFTER_MS = 400; // a rerun may unmount and mount a panel within this
const STREAM_AGAIN_MS = 30000;

// Survives a second import of this module (another page of the app may load it under another address).
const shared = (globalThis[Symbol.for("playground.stream-panel")] ??= { feeds: new Map(), told: new Set(), whitespace: new Map() });

// One run as a slot shows it. Texts only grow; views keep their own position in them.
class Model {
  constructor(data) {
    this.run = data.run;
    this.number = data.n;
    this.texts = new Map();
    this.pieces = 0;
    this.replayed = !["queued", "waiting"].includes(data.status);
    this.ended = false;
    this.error = null;
    this.update(data);
  }

  update(data) {
    this.token = data.token ?? this.token;
    this.status = data.status;
    this.choices = Math.max(data.choices ?? 1, this.texts.size, 1);
    this.finish = data.finish ?? {};
    this.queue = data.queue;
    this.wait = data.wait;
    this.elapsed = data.elapsed_s ?? 0;
    this.stamp = performance.now();
  }

  append(choice, text) {
    if (this.status === "waiting" || this.status === "queued") this.status = "streaming";
    this.texts.set(choice, (this.texts.get(choice) ?? "") + text);
    this.choices = Math.max(this.choices, choice + 1);
  }

  end(data) {
    this.update(data);
    this.ended = true;
    this.tokens = data.tokens;
    this.pieces = data.pieces ?? this.pieces;
    this.error = data.error ?? null;
  }

  // The server no longer has the run; what came of it stays.
  lose() {
    if (!this.live) return;
    const { choices, finish, pieces } = this;
    this.end({ status: "interrupted", choices, finish, pieces, elapsed_s: this.seconds(performance.now()) });
  }

  seconds(now) {
    return this.ended ? this.elapsed : this.elapsed + (now - this.stamp) / 1000;
  }

  get live() {
    return !this.ended && !ENDED.has(this.status);
  }
}

class Feed {
  constructor(address, token) {
    this.address = address;
    this.token = token;
    this.models = new Map();
    this.panels = new Map();
    this.cursor = "";
    this.online = true;
    this.attempt = 0; // grows with every change of transport; what belongs to an older one falls silent
    this.frame = 0;
    this.ticker = 0;
  }

  static of(address, token) {
    let feed = shared.feeds.get(address);
    if (!feed) {
      feed = new Feed(address, token);
      shared.feeds.set(address, feed);
      feed.listen();
    }
    feed.token = token;
    return feed;
  }

  // Panels

  join(slot, panel) {
    clearTimeout(this.closing);
    if (!this.panels.has(slot)) this.panels.set(slot, new Set());
    this.panels.get(slot).add(panel);
  }

  leave(slot, panel) {
    this.panels.get(slot)?.delete(panel);
    if ([...this.panels.values()].some((panels) => panels.size)) return;
    this.closing = setTimeout(() => {
      this.disconnect();
      clearInterval(this.ticker);
      shared.feeds.delete(this.address);
    }, CLOSE_AFTER_MS);
  }

  each(slot, work) {
    for (const panel of this.panels.get(slot) ?? []) work(panel);
  }

  all(work) {
    for (const panels of this.panels.values()) for (const panel of panels) work(panel);
  }

  // Transport

  url(what, query = {}) {
    return `${this.address}/${what}?${new URLSearchParams({ token: this.token, cursor: this.cursor, ...query })}`;
  }

  disconnect() {
    this.attempt += 1;
    clearTimeout(this.watchdog);
    this.source?.close();
    this.source = null;
    this.abort?.abort();
  }

  listen() {
    this.disconnect();
    let failures = 0;
    const source = (this.source = new EventSource(this.url("events")));
    const expectHello = () => {
      clearTimeout(this.watchdog);
      this.watchdog = setTimeout(() => this.poll(), HELLO_MS);
    };
    source.addEventListener("hello", (event) => {
      clearTimeout(this.watchdog);
      failures = 0;
      this.setOnline(true);
      this.keep(JSON.parse(event.data).runs);
    });
    for (const name of ["run", "state", "end", "clear", "gone"]) {
      source.addEventListener(name, (event) => this.hear(name, event));
    }
    source.onmessage = (event) => this.hear("", event);
    source.onerror = () => {
      failures += 1;
      if (source.readyState === EventSource.CLOSED || failures >= FAILURES) this.poll();
      else expectHello();
    };
    expectHello();
  }

  hear(name, event) {
    if (event.lastEventId) this.seen(event.lastEventId);
    this.take(name, JSON.parse(event.data));
  }

  async poll(gap = POLL_GAP_MS) {
    this.disconnect();
    const attempt = this.attempt;
    const began = performance.now();
    let failures = 0;
    while (attempt === this.attempt) {
      try {
        this.abort = new AbortController();
        const wait = gap === POLL_GAP_MS ? POLL_WAIT_S : 0;
        const answer = await fetch(this.url("delta", { wait }), { signal: this.abort.signal, cache: "no-store" });
        if (!answer.ok) throw new Error(String(answer.status));
        const { events, cursor } = await answer.json();
        if (attempt !== this.attempt) return;
        for (const [name, data] of events) this.take(name, data);
        this.seen(cursor);
        this.keep(cursor.split(",").map((part) => part.split(":")[0]));
        failures = 0;
        this.setOnline(true);
      } catch (problem) {
        if (attempt !== this.attempt) return;
        failures += 1;
        this.setOnline(false);
      }
      await new Promise((done) => setTimeout(done, failures ? Math.min(500 * 2 ** failures, 8000) : gap));
      if (gap === POLL_GAP_MS && attempt === this.attempt && !this.live && performance.now() - began > STREAM_AGAIN_MS) this.listen();
    }
  }

  // A hidden page follows its runs at leisure, and nothing at all when none is under way.
  rest() {
    if (this.live) this.poll(HIDDEN_POLL_MS);
    else this.disconnect();
    this.resting = true;
  }

  wake() {
    if (!this.resting) return;
    this.resting = false;
    this.listen();
  }

  setOnline(online) {
    if (online === this.online) return;
    this.online = online;
    this.all((panel) => panel.tell());
  }

  // Events

  seen(cursor) {
    this.cursor = cursor;
    for (const part of cursor.split(",")) {
      const [number, pieces] = part.split(":");
      for (const model of this.models.values()) {
        if (model.number === number && !model.ended) model.pieces = Number(pieces);
      }
    }
  }

  // What the server says it shows. After its restart that is nothing, and our runs are lost.
  keep(numbers) {
    for (const model of this.models.values()) {
      if (!numbers.includes(model.number)) model.lose();
    }
    this.schedule();
  }

  take(name, data) {
    const model = this.models.get(data.slot);
    switch (name) {
      case "":
        for (const key in data) {
          const [slot, choice] = key.split(".");
          this.models.get(slot)?.append(Number(choice ?? 0), data[key]);
        }
        break;
      case "run":
        this.show(model, data);
        break;
      case "state":
        if (model?.run === data.run) model.update(data);
        break;
      case "end":
        if (model?.run === data.run) model.end(data);
        break;
      case "clear":
        this.models.delete(data.slot);
        this.each(data.slot, (panel) => panel.show(null));
        return;
      case "gone":
        model?.lose();
        break;
    }
    this.tick();
    this.schedule();
  }

  // A slot shows a run: another one, or, after a reconnect, the one we know, in which case the texts go on where they are.
  show(model, data) {
    if (model?.number === data.n && (data.seen > 0 || model.pieces === 0)) {
      if (!model.ended) model.update(data);
      return;
    }
    const fresh = new Model(data);
    this.models.set(data.slot, fresh);
    this.each(data.slot, (panel) => panel.show(fresh));
  }

  get live() {
    return [...this.models.values()].some((model) => model.live);
  }

  schedule() {
    if (this.frame) return;
    const paint = () => {
      this.frame = 0;
      this.all((panel) => panel.grow());
      this.all((panel) => panel.follow());
    };
    this.frame = document.hidden ? setTimeout(paint, 200) : requestAnimationFrame(paint);
  }

  // Seconds run on while a run does.
  tick() {
    if (this.ticker || !this.live) return;
    this.ticker = setInterval(() => {
      if (!this.live) {
        clearInterval(this.ticker);
        this.ticker = 0;
      }
      this.all((panel) => panel.tell());
    }, 100);
  }
}

if (!shared.watching) {
  shared.watching = true;
  let timer = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => shared.feeds.forEach((feed) => feed.rest()), HIDDEN_AFTER_MS);
    else shared.feeds.forEach((feed) => feed.wake());
  });
}
