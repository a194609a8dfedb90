// Sources for the live preview, from the host: one request at a time, for the newest wish only, and
// never more often than the host likes. What cannot be had at once is dropped, not queued.

import { read } from "./preview.js";

const INTERVAL = 1000 / 6; // ms between requests; it doubles while the host is busy
const LONGEST_INTERVAL = 4000;
const KEPT = 24;
const BUSY = 503;

export class Supply {
  constructor(arrived) {
    this.arrived = arrived;
    this.sources = new Map();
    this.refused = new Set();
    this.interval = INTERVAL;
    this.next = 0;
  }

  // The source with this key, if it reaches as deep.
  get(key, depth) {
    const source = this.sources.get(key);
    return source && source.depth >= depth ? source : undefined;
  }

  wish(key, depth, url) {
    if (this.get(key, depth) || this.refused.has(url) || this.asking === url) return;
    this.wished = { key, url };
    this.#ask();
  }

  #ask() {
    clearTimeout(this.timer);
    if (!this.wished || this.asking) return;
    const wait = this.next - performance.now();
    if (wait > 0) {
      this.timer = setTimeout(() => this.#ask(), wait);
      return;
    }
    const { key, url } = this.wished;
    this.wished = null;
    this.asking = url;
    this.#fetch(key, url).finally(() => {
      this.asking = null;
      this.#ask();
    });
  }

  #keep(things) {
    if (things.size > KEPT) things.delete(things.keys().next().value);
  }

  async #fetch(key, url) {
    this.next = performance.now() + this.interval;
    const answer = await fetch(url, { priority: "high" }).catch(() => ({ status: BUSY }));
    const busy = answer.status === BUSY;
    this.interval = busy ? Math.min(LONGEST_INTERVAL, 2 * this.interval) : INTERVAL;
    if (!answer.ok) {
      if (!busy) this.#keep(this.refused.add(url));
      return;
    }
    this.#keep(this.sources.set(key, read(await answer.json())));
    this.arrived();
  }
}
