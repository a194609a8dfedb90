// The picture follows the sliders while they move. Streamlit sends a slider's value when it is let
// go; what its native input shows meanwhile is enough to draw from sources that are already here, or
// that the server gives at most a few times a second. The server's own figure has the last word.

import { Layer } from "./layer.js";
import { covers, preview, read, words } from "./preview.js";

const INTERVAL = 1000 / 6; // ms between requests; it grows while the host is busy
const LONGEST_INTERVAL = 4000;
const KEPT = 24; // sources
const PATIENCE = 2000; // ms after which the server's figure is shown although it is of older values

const without = (query, ...names) =>
  JSON.stringify(Object.entries(query).filter(([name]) => !names.includes(name)));

// Asks the host for sources: one at a time, only the newest wish, never more often than it likes.
class Supply {
  constructor(arrived) {
    this.arrived = arrived;
    this.sources = new Map();
    this.refused = new Set();
    this.interval = INTERVAL;
    this.next = 0;
  }

  get(key) {
    return this.sources.get(key);
  }

  wish(key, url, details) {
    if (this.sources.has(key) || this.refused.has(key) || this.asking === key) return;
    this.wished = { key, url, details };
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
    const { key, url, details } = this.wished;
    this.wished = null;
    this.asking = key;
    this.#fetch(key, url, details).finally(() => {
      this.asking = null;
      this.#ask();
    });
  }

  async #fetch(key, url, details) {
    this.next = performance.now() + this.interval;
    const answer = await fetch(url, { priority: "high" }).catch(() => ({ status: 503 }));
    const busy = answer.status === 503;
    this.interval = busy ? Math.min(LONGEST_INTERVAL, 2 * this.interval) : INTERVAL;
    if (!answer.ok) {
      if (!busy) this.refused.add(key);
      return;
    }
    this.sources.set(key, { ...read(await answer.json()), ...details });
    if (this.sources.size > KEPT) this.sources.delete(this.sources.keys().next().value);
    this.arrived();
  }
}

// The answer's numbers, laid over the server's own so that nothing moves and nothing is lost.
function sayNumbers(said) {
  const numbers = document.querySelector(".gi-numbers:not(.gi-preview)");
  if (!numbers) return;
  let over = document.querySelector(".gi-preview");
  if (!over || over.previousElementSibling !== numbers) {
    over?.remove();
    over = numbers.cloneNode(true);
    over.classList.add("gi-preview");
    over.ariaHidden = "true";
    numbers.after(over);
  }
  const cells = [
    [said.label, said.iteration, said.detail],
    ["last std", said.last, said.where],
    ["growth per product", said.growth, said.mean],
  ];
  [...over.children].forEach((cell, i) =>
    [...cell.children].forEach((line, j) => {
      if (line.textContent !== cells[i][j]) line.textContent = cells[i][j];
    }));
}

const unsay = () => document.querySelector(".gi-preview")?.remove();

export class Live {
  constructor(root, plot, redraw) {
    this.root = root;
    this.redraw = redraw; // draws the server's own figure
    this.layer = new Layer(root, plot);
    this.supply = new Supply(() => this.#draw());
    this.watched = new WeakSet();
    this.alive = new AbortController();
    this.observer = new MutationObserver((changes) => this.#moved(changes));
    const signal = this.alive.signal;
    const prepare = (event) => this.#prepare(event.target);
    for (const kind of ["pointerover", "pointerdown", "focusin"])
      document.addEventListener(kind, prepare, { signal, passive: true });
    addEventListener("pointerdown", (event) => {
      this.dragged = this.#sliderAt(event.target);
    }, { signal, capture: true });
    for (const kind of ["pointerup", "pointercancel"])
      addEventListener(kind, () => this.#released(), { signal, capture: true });
  }

  // A new figure from the server, and what the page knows about it. Whether it may be drawn now.
  update(spec) {
    this.spec = spec;
    this.sliders = spec.sliders.map((name) => [
      name,
      document.querySelector(`.st-key-${name} input[type="range"]`),
    ]);
    this.touched = this.sliders.find(([, input]) => input === document.activeElement)?.[0];
    for (const [, input] of this.sliders)
      if (input && !this.watched.has(input)) {
        this.watched.add(input);
        this.observer.observe(input, { attributeFilter: ["aria-valuetext"] });
      }
    if (!this.shown) return true;
    if (this.#isWanted() || (!this.dragged && performance.now() - this.since > PATIENCE)) {
      this.#end();
      return true;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#giveUp(), PATIENCE);
    return false;
  }

  leave() {
    clearTimeout(this.timer);
    this.alive.abort();
    this.observer.disconnect();
    this.#end();
  }

  // What the sliders stand at, as the query of a link.
  #wanted() {
    const query = { ...this.spec.query };
    for (const [name, input] of this.sliders)
      if (input?.isConnected) query[name] = input.getAttribute("aria-valuetext");
    if (query.width === this.spec.query.width)
      query.scale = this.spec.named_scales[query.scale] ?? query.scale;
    return query;
  }

  #isWanted() {
    const wanted = this.#wanted();
    return Object.entries(this.spec.query).every(
      ([name, text]) => text === wanted[name] || Number(text) === Number(wanted[name]));
  }

  #sliderAt(element) {
    const slider = element?.closest?.('[data-testid="stSlider"]');
    return this.sliders?.find(([, input]) => input && slider?.contains(input))?.[0];
  }

  // Have at hand what the slider under the finger will need.
  #prepare(element) {
    const name = this.#sliderAt(element);
    if (!name || !this.spec) return;
    if (name === "scale" && this.spec.exact) this.#wishExact(this.#wanted());
    if (name === "depth") this.#wishMeasured(this.#wanted(), name);
  }

  #moved(changes) {
    const input = changes.at(-1).target;
    const [name] = this.sliders.find(([, known]) => known === input) ?? [];
    const byHand = this.dragged === name || input === document.activeElement;
    if (!name || !byHand) return; // the server moved it
    this.touched = name;
    this.#schedule();
    if (!this.dragged) this.#verify();
  }

  #released() {
    if (!this.dragged) return;
    this.dragged = undefined;
    if (!this.shown) return;
    if (this.#isWanted()) this.#giveUp(); // back where it was: the server has nothing to say
    else this.#verify();
  }

  #giveUp() {
    this.#end();
    this.redraw();
  }

  #schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.#draw();
    });
  }

  #draw() {
    if (!this.touched) return;
    const wanted = this.#wanted();
    if (!this.shown && this.#isWanted()) return;
    const source = this.#sourceFor(wanted);
    if (!source) {
      if (this.spec.served) this.#wishMeasured(wanted, this.touched);
      return;
    }
    const shown = [source, wanted.scale, wanted.depth];
    if (this.shown?.every((part, i) => part === shown[i])) return;
    const seen = preview(source, { scale: Number(wanted.scale), depth: Number(wanted.depth) });
    const said = words(seen, this.spec.broken);
    this.layer.show(seen, said.mark);
    sayNumbers(said);
    document.body.dataset.giLive = this.root.dataset.shows = seen.kind;
    this.since = performance.now();
    this.shown = shown;
  }

  // Measured before exact: it is what the server will show.
  #sourceFor(wanted) {
    const asked = { scale: Number(wanted.scale), depth: Number(wanted.depth) };
    const found = [this.supply.get(this.#measuredKey(wanted)), this.#exactSource(wanted)];
    return found.find((source) => source && covers(source, asked));
  }

  #measuredKey = (query) => `measured ${without(query, "depth")}`;
  #exactKey = (query) => `exact ${without(query, "scale", "depth")}`;

  #exactSource(wanted) {
    const same = without(wanted, "scale", "depth") === without(this.spec.query, "scale", "depth");
    return this.spec.exact && same ? this.supply.get(this.#exactKey(wanted)) : undefined;
  }

  #url(kind, query) {
    const asked = { kind, ...query, device: this.spec.device };
    return `${this.spec.path}?${new URLSearchParams(asked)}`;
  }

  #wishExact(query) {
    const longest = { ...query, scale: "1", depth: this.spec.longest };
    this.supply.wish(this.#exactKey(query), this.#url("exact", longest), {});
  }

  #wishMeasured(query, name) {
    if (!this.spec.served) return;
    const asked = name === "depth" ? { ...query, depth: this.spec.longest } : query;
    const key = this.#measuredKey(query);
    const known = this.supply.get(key);
    if (known && known.depth < Number(query.depth)) this.supply.sources.delete(key);
    this.supply.wish(key, this.#url("measured", asked), { scale: Number(query.scale) });
  }

  // What was drawn in exact arithmetic is asked of the real products at once.
  #verify() {
    this.#wishMeasured(this.#wanted(), this.touched);
  }

  #end() {
    clearTimeout(this.timer);
    this.shown = undefined;
    this.layer.hide();
    unsay();
    delete document.body.dataset.giLive;
  }
}
