// The picture follows the sliders while they move. Streamlit sends a slider's value when it is let
// go; what its native input shows meanwhile is enough to draw from sources that are here, or
// that the host gives a few times a second at most. The server's own figure has the last word.

import { Layer } from "./layer.js";
import { preview, words } from "./preview.js";
import { Spoken } from "./spoken.js";
import { Supply } from "./supply.js";

const PATIENCE = 2000; // ms without a move after which an idle server's figure is shown
const GLANCE = 250; // ms between looks at whether the sliders stand where the server's figure does

const without = (query, ...names) =>
  JSON.stringify(Object.entries(query).filter(([name]) => !names.includes(name)));

const serverIsAtWork = () =>
  document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "running";

export class Live {
  constructor(root, plot, redraw) {
    this.root = root;
    this.redraw = redraw; // draws the server's own figure
    this.layer = new Layer(root, plot);
    this.spoken = new Spoken();
    this.supply = new Supply({
      arrived: (source, wish) => this.#arrived(source, wish),
      refused: () => this.#draw(),
      dropped: () => this.#draw(), // and wishes again, if a finger still waits for it
    });
    this.watched = new WeakSet();
    this.observer = new MutationObserver((changes) => this.#changed(changes));
    this.alive = new AbortController();
    const options = { signal: this.alive.signal, capture: true, passive: true };
    const prepare = (event) => this.#prepare(event.target);
    for (const kind of ["pointerover", "focusin"]) addEventListener(kind, prepare, options);
    addEventListener("pointerdown", (event) => this.#pressed(event), options);
    for (const kind of ["pointerup", "pointercancel"])
      addEventListener(kind, (event) => this.#released(event.pointerId), options);
    addEventListener("blur", () => this.#released(this.pointer), { signal: this.alive.signal });
  }

  // A new figure from the server, and what the page knows about it. Whether it may be drawn now.
  update(spec) {
    this.spec = spec;
    this.#prepare(document.activeElement);
    if (this.shown && !this.isWanted()) return false; // the preview is of newer values
    this.#end();
    return true;
  }

  // The figure's pixels are others than when the preview was drawn.
  resized() {
    if (!this.shown) return;
    this.shown = [];
    this.#draw();
  }

  leave() {
    cancelAnimationFrame(this.frame);
    this.alive.abort();
    this.observer.disconnect();
    this.supply.leave();
    this.#end();
  }

  // What the sliders stand at, as the query of a link.
  #wanted() {
    const query = { ...this.spec.query };
    for (const name of this.spec.sliders) {
      const input = document.querySelector(`.st-key-${name} input[type="range"]`);
      if (input) query[name] = input.getAttribute("aria-valuetext");
    }
    if (query.width === this.spec.query.width)
      query.scale = this.spec.named_scales[query.scale] ?? query.scale;
    return query;
  }

  // Whether the server's figure is of what the sliders stand at.
  isWanted() {
    const wanted = this.#wanted();
    return Object.entries(this.spec.query).every(
      ([name, text]) => text === wanted[name] || Number(text) === Number(wanted[name]));
  }

  #sliderAt(element) {
    const slider = element?.closest?.('[data-testid="stSlider"]');
    return this.spec?.sliders.find((name) => slider?.closest(`.st-key-${name}`));
  }

  // Watch the slider under the finger, and have at hand what it will need.
  #prepare(element) {
    const name = this.#sliderAt(element);
    if (!name) return;
    const input = element.closest('[data-testid="stSlider"]').querySelector('input[type="range"]');
    if (!this.watched.has(input)) {
      this.watched.add(input);
      this.observer.observe(input, { attributeFilter: ["aria-valuetext"] });
    }
    if (name === "scale" || name === "depth") this.#wish(name, this.#wanted());
  }

  #pressed(event) {
    if (!event.isPrimary || event.button !== 0) return;
    this.#prepare(event.target);
    this.dragged = this.#sliderAt(event.target);
    this.pointer = event.pointerId;
  }

  #released(pointer) {
    if (!this.dragged || pointer !== this.pointer) return;
    this.dragged = undefined;
    if (!this.shown) return;
    if (this.isWanted()) this.#giveWay(); // back where it was: the server has nothing to say
    else this.#verify();
  }

  #changed(changes) {
    const byHand = (input) =>
      this.#sliderAt(input) === this.dragged || input === document.activeElement;
    const input = changes.map(({ target }) => target).find(byHand);
    if (!input) return; // the server moved it
    this.touched = this.#sliderAt(input);
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.#draw();
    });
    if (!this.dragged) this.#verify(); // a key has no release
  }

  #draw() {
    if (!this.touched) return;
    const wanted = this.#wanted();
    if (this.isWanted() && !this.dragged) {
      this.#giveWay();
      return;
    }
    const source = this.#sourceFor(wanted);
    if (source) this.#show(source, wanted);
    else if (!this.#wish(this.touched, wanted)) this.#giveWay();
  }

  // A source that comes late is still the newest there is, while the finger moves on.
  #arrived(source, { kind, query }) {
    if (!this.touched) return;
    const wanted = this.#wanted();
    if (this.#sourceFor(wanted)) this.#draw();
    else {
      if (kind === "measured" && this.dragged) this.#show(source, query);
      this.#wish(this.touched, wanted);
    }
  }

  #show(source, query) {
    const shown = [source, query.scale, query.depth];
    if (this.shown?.every((part, i) => part === shown[i]) && this.shown.length) return;
    const seen = preview(source, { scale: Number(query.scale), depth: Number(query.depth) });
    const { mark, numbers } = words(seen, this.spec.broken);
    this.layer.show(seen, mark, `${this.touched} = ${query[this.touched]}`);
    this.spoken.say(numbers);
    document.body.dataset.giLive = this.root.dataset.shows = seen.kind;
    this.root.goodInitPreview = seen;
    this.shown = shown;
    this.#wait();
  }

  // Measured before exact: it is what the server will show.
  #sourceFor(wanted) {
    const measured = this.supply.get(this.#measuredKey(wanted), wanted.depth);
    if (measured || !this.#isExact(wanted)) return measured;
    return this.supply.get(this.#exactKey(wanted), wanted.depth);
  }

  #measuredKey = (query) => `measured ${this.spec.device} ${without(query, "depth")}`;
  #exactKey = (query) => `exact ${without(query, "scale", "depth")}`;

  // Whether the scale-free run of what the server shows answers for these values.
  #isExact(wanted) {
    const { deepest, query } = this.spec;
    return deepest.exact >= wanted.depth && this.#exactKey(wanted) === this.#exactKey(query);
  }

  #exactWish(query) {
    const asked = { ...query, scale: "1", depth: this.spec.deepest.exact };
    return this.#wishFor("exact", this.#exactKey(query), asked);
  }

  #measuredWish(query, depth = query.depth) {
    return this.#wishFor("measured", this.#measuredKey(query), { ...query, depth });
  }

  #wishFor(kind, key, query) {
    const asked = new URLSearchParams({ kind, ...query, device: this.spec.device });
    return { kind, key, query, depth: Number(query.depth), url: `${this.spec.path}?${asked}` };
  }

  // Asks for what the slider needs, the best that the host has not refused. Whether there is any:
  // for depth the longest real run, of which every shallower one is a part; for scale the run free
  // of it; for anything else, and where those cannot be had, the real run itself.
  #wish(name, wanted) {
    const { deepest, served } = this.spec;
    const wishes = [];
    if (served && name === "depth" && deepest.measured >= wanted.depth)
      wishes.push(this.#measuredWish(wanted, deepest.measured));
    if (this.#isExact(wanted)) wishes.push(this.#exactWish(wanted));
    if (served) wishes.push(this.#measuredWish(wanted));
    const best = wishes.find((wish) => !this.supply.refuses(wish));
    if (best) this.supply.wish(best);
    return Boolean(best);
  }

  // What was drawn in exact arithmetic is asked of the real products at once.
  #verify() {
    const wish = this.#measuredWish(this.#wanted());
    const known = this.supply.get(wish.key, wish.depth) || this.supply.refuses(wish);
    if (this.spec.served && !known) this.supply.wish(wish);
  }

  // A preview ends when the server's figure comes, or when there is none to come.
  #wait(since = performance.now()) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const tired = performance.now() - since > PATIENCE && !serverIsAtWork();
      if (!this.dragged && (tired || this.isWanted())) this.#giveWay();
      else this.#wait(since);
    }, GLANCE);
  }

  #giveWay() {
    if (!this.shown) return;
    this.#end();
    this.redraw();
  }

  #end() {
    clearTimeout(this.timer);
    this.touched = this.dragged;
    if (!this.shown) return;
    this.shown = undefined;
    this.layer.hide();
    this.spoken.unsay();
    delete document.body.dataset.giLive;
  }
}
