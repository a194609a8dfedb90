// Gets the sources of the live preview from the host: one request at a time, for the newest wish only,
// and less often while the host is busy. Nothing queues: a dropped wish must be made again.

import { read } from "./preview.js";

const INTERVAL = 1000 / 6; // ms between requests; it doubles while the host is busy
const LONGEST_INTERVAL = 4000;
const PATIENCE = 5000; // ms for an answer
const KEPT = 24;
const REFUSALS = [404, 422]; // a busy host answers 204

const FAILED = { status: 0 };

function remember(things, ...entry) {
  things.delete(entry[0]);
  things.set(...entry);
  if (things.size > KEPT) things.delete(things.keys().next().value);
}

export class Supply {
  // ``arrived`` is called with a source and its wish; ``refused`` with a wish that the host will never
  // grant, ``dropped`` with one that it has no time for now.
  constructor({ arrived, refused, dropped }) {
    this.listeners = { arrived, refused, dropped };
    this.sources = new Map();
    this.refusals = new Map();
    this.interval = INTERVAL;
    this.next = 0;
    this.alive = new AbortController();
  }

  // The source with this key, if it has at least so many layers.
  get(key, depth) {
    const source = this.sources.get(key);
    if (!source || source.depth < depth) return undefined;
    remember(this.sources, key, source);
    return source;
  }

  refuses = ({ url }) => this.refusals.has(url);

  // A wish is { key, depth, url }, with anything more that the listeners need.
  wish(wish) {
    this.wished = undefined;
    if (this.asked?.url === wish.url || this.get(wish.key, wish.depth)) return;
    this.wished = wish;
    this.#ask();
  }

  leave() {
    this.wished = undefined;
    clearTimeout(this.timer);
    this.alive.abort();
  }

  #ask() {
    clearTimeout(this.timer);
    if (!this.wished || this.asked || this.alive.signal.aborted) return;
    const wait = this.next - performance.now();
    if (wait > 0) {
      this.timer = setTimeout(() => this.#ask(), wait);
      return;
    }
    this.asked = this.wished;
    this.wished = undefined;
    this.next = performance.now() + this.interval;
    this.#fetch(this.asked);
  }

  async #answer(url, signal) {
    const reply = await fetch(new URL(url, document.baseURI), { signal, priority: "high" });
    return { status: reply.status, source: reply.status === 200 && read(await reply.json()) };
  }

  async #fetch(wish) {
    const signal = AbortSignal.any([this.alive.signal, AbortSignal.timeout(PATIENCE)]);
    const { status, source } = await this.#answer(wish.url, signal).catch(() => FAILED);
    if (this.alive.signal.aborted) return;
    this.asked = undefined; // before the listeners are called: one may wish for the same again
    if (source) {
      this.interval = INTERVAL;
      remember(this.sources, wish.key, source);
      this.listeners.arrived(source, wish);
    } else if (REFUSALS.includes(status)) {
      remember(this.refusals, wish.url, true);
      this.listeners.refused(wish);
    } else {
      this.interval = Math.min(LONGEST_INTERVAL, 2 * this.interval);
      this.next = performance.now() + this.interval;
      this.listeners.dropped(wish);
    }
    this.#ask();
  }
}
