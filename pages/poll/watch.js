// Asks for news of a room every two seconds, and tells the page's script when there is any. A request
// that fails shows nothing: it is sent again, less and less often.

const INTERVAL = 2000; // ms
const HIDDEN = 10000; // while the page is hidden
const LONGEST = 30000; // between requests that fail
const PATIENCE = 8000; // for an answer, and for the script to draw the news
const JITTER = 0.25; // of the interval, either way, so that a class does not ask all at once

class Watch {
  constructor({ path, what, known }, tell) {
    this.url = new URL(path, document.baseURI);
    this.what = what;
    this.known = known;
    this.tell = tell;
    this.failures = 0;
    this.alive = new AbortController();
    const { signal } = this.alive;
    document.addEventListener("visibilitychange", () => document.hidden || this.#ask(), { signal });
    this.#wait();
  }

  leave() {
    clearTimeout(this.timer);
    this.alive.abort();
  }

  #wait() {
    if (this.alive.signal.aborted) return;
    clearTimeout(this.timer);
    const usual = document.hidden ? HIDDEN : INTERVAL;
    const interval = Math.min(LONGEST, usual * 2 ** this.failures);
    const jitter = 1 + JITTER * (2 * Math.random() - 1);
    this.timer = setTimeout(() => this.#ask(), interval * jitter);
  }

  async #ask() {
    if (this.asking) return;
    this.asking = true;
    const news = await this.#answer().catch(() => undefined);
    this.asking = false;
    if (this.alive.signal.aborted) return;
    this.failures = news === undefined ? this.failures + 1 : 0;
    if (news !== undefined && news !== this.known) this.#pass(news);
    this.#wait();
  }

  // The part of the answer that the page compares; "gone" if the room has ended.
  async #answer() {
    const signal = AbortSignal.any([this.alive.signal, AbortSignal.timeout(PATIENCE)]);
    const reply = await fetch(this.url, { signal, cache: "no-store" });
    if (reply.status === 404) return "gone";
    return reply.ok ? (await reply.json())[this.what] : undefined;
  }

  // The same news is passed on again only if the script has not drawn it in time.
  #pass(news) {
    const now = performance.now();
    if (news === this.last && now - this.when < PATIENCE) return;
    this.last = news;
    this.when = now;
    this.tell(news);
  }
}

export default function watch({ data, parentElement, setTriggerValue }) {
  parentElement.goodInitWatch?.leave();
  const own = new Watch(data, (news) => setTriggerValue("news", String(news)));
  parentElement.goodInitWatch = own;
  return () => own.leave();
}
