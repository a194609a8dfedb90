// The picture follows the sliders while they move. Streamlit sends a slider's value when it is let
// go; what its native input shows meanwhile is enough to draw from sources that are already here, or
// that the server gives at most a few times a second. The server's own figure has the last word.

import { Layer } from "./layer.js";
import { preview, words } from "./preview.js";
import { Supply } from "./supply.js";

const PATIENCE = 2000; // ms after which the server's figure is shown although it is of older values

const without = (query, ...names) =>
  JSON.stringify(Object.entries(query).filter(([name]) => !names.includes(name)));
const measuredKey = (query) => `measured ${without(query, "depth")}`;
const exactKey = (query) => `exact ${without(query, "scale", "depth")}`;

// The answer's numbers, laid over the server's own so that nothing moves and nothing is lost.
function say(numbers) {
  const spoken = document.querySelector(".gi-numbers:not(.gi-preview)");
  if (!spoken) return;
  let over = document.querySelector(".gi-preview");
  if (!over || over.previousElementSibling !== spoken) {
    over?.remove();
    over = spoken.cloneNode(true);
    over.classList.add("gi-preview");
    over.ariaHidden = "true";
    spoken.after(over);
  }
  [...over.children].forEach((cell, i) =>
    [...cell.children].forEach((line, j) => {
      if (line.textContent !== numbers[i][j]) line.textContent = numbers[i][j];
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
    for (const [, input] of this.sliders)
      if (input && !this.watched.has(input)) {
        this.watched.add(input);
        this.observer.observe(input, { attributeFilter: ["aria-valuetext"] });
      }
    this.#prepare(document.activeElement);
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
    if (name === "scale" || name === "depth") this.#wish(name, this.#wanted());
  }

  #moved(changes) {
    const input = changes.at(-1).target;
    const [name] = this.sliders.find(([, known]) => known === input) ?? [];
    const byHand = this.dragged === name || input === document.activeElement;
    if (!name || !byHand) return; // the server moved it
    this.touched = name;
    this.#schedule();
    // A key has no release: the real run is asked for at once.
    if (!this.dragged) this.#wishMeasured(name, this.#wanted());
  }

  #released() {
    if (!this.dragged) return;
    this.dragged = undefined;
    if (!this.shown) return;
    if (this.#isWanted()) this.#giveUp(); // back where it was: the server has nothing to say
    else this.#wishMeasured(this.touched, this.#wanted());
  }

  #giveUp() {
    if (this.dragged) return;
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
    const wanted = this.#wanted();
    if (!this.shown && this.#isWanted()) return;
    const source = this.#sourceFor(wanted);
    if (!source) {
      this.#wish(this.touched, wanted);
      return;
    }
    const shown = [source, wanted.scale, wanted.depth];
    if (this.shown?.every((part, i) => part === shown[i])) return;
    const seen = preview(source, { scale: Number(wanted.scale), depth: Number(wanted.depth) });
    const { mark, numbers } = words(seen, this.spec.broken);
    this.layer.show(seen, mark);
    say(numbers);
    document.body.dataset.giLive = this.root.dataset.shows = seen.kind;
    this.root.goodInitPreview = seen;
    this.since = performance.now();
    this.shown = shown;
  }

  // Measured before exact: it is what the server will show.
  #sourceFor(wanted) {
    const keys = [measuredKey(wanted), ...(this.#isExact(wanted) ? [exactKey(wanted)] : [])];
    return keys.map((key) => this.supply.get(key, wanted.depth)).find(Boolean);
  }

  // Whether the scale-free run of what the server shows answers for these values.
  #isExact(wanted) {
    return this.spec.exact && exactKey(wanted) === exactKey(this.spec.query);
  }

  // What the slider needs: the scale-free run for another scale, else the real one.
  #wish(name, wanted) {
    if (this.#isExact(wanted) && !(name === "depth" && this.spec.served)) {
      const asked = { ...wanted, scale: "1", depth: this.spec.longest };
      this.#ask("exact", exactKey(wanted), wanted.depth, asked);
    } else this.#wishMeasured(name, wanted);
  }

  // The real run; for the depth slider the longest, of which every shallower one is a part.
  #wishMeasured(name, wanted) {
    if (!this.spec.served) return;
    const asked = name === "depth" ? { ...wanted, depth: this.spec.longest } : wanted;
    this.#ask("measured", measuredKey(wanted), asked.depth, asked);
  }

  #ask(kind, key, depth, query) {
    const asked = new URLSearchParams({ kind, ...query, device: this.spec.device });
    this.supply.wish(key, depth, `${this.spec.path}?${asked}`);
  }

  #end() {
    clearTimeout(this.timer);
    this.shown = undefined;
    this.layer.hide();
    unsay();
    delete document.body.dataset.giLive;
  }
}
