// A figure follows the sliders while they move: that of the signal, and that of its gradient. The preview
// is drawn from runs that the browser has already, or that the host gives a few times a second at most;
// the server's own figure replaces it. The signal's figure also lays its numbers over the answer.

import { Overlay } from "./overlay.js";
import { isKnown, preview, words } from "./preview.js";
import { Sliders } from "./sliders.js";
import { Spoken } from "./spoken.js";
import { Supply } from "./supply.js";
import { Wishes } from "./wishes.js";

const PATIENCE = 2000; // ms without a move after which an idle server's figure is shown
const GLANCE = 250; // ms between checks whether the server's figure is of the sliders' values

const serverIsAtWork = () =>
  document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "running";

export class Live {
  constructor(root, plot, redraw) {
    this.root = root;
    this.redraw = redraw; // draws the server's own figure
    this.overlay = new Overlay(root, plot);
    this.spoken = new Spoken();
    this.supply = new Supply({
      arrived: (source, wish) => this.#arrived(source, wish),
      refused: () => this.#draw(),
      dropped: () => this.#draw(), // which wishes again, if the preview still needs it
    });
    this.sliders = new Sliders({
      reached: (name) => this.#prepare(name),
      moved: (name) => this.#moved(name),
      released: () => this.#released(),
    });
  }

  // Takes a new figure of the server and what the page knows of it; returns whether to draw it now.
  update(spec) {
    this.spec = spec;
    this.wishes = new Wishes(spec);
    this.sliders.follow(spec.sliders);
    if (this.shown && !this.isWanted()) return false; // the preview is of newer values
    this.#end();
    return true;
  }

  // The figure's size in pixels has changed since the preview was drawn.
  resized() {
    if (!this.shown) return;
    this.shown = [];
    this.#draw();
  }

  leave() {
    cancelAnimationFrame(this.frame);
    this.sliders.leave();
    this.supply.leave();
    this.#end();
  }

  // The controls' values, as the query of a link; those at a named stop have its name.
  #asked() {
    return { ...this.spec.query, ...this.spec.named, ...this.sliders.values() };
  }

  // The same with the values of named stops, unless the size that they follow has another value.
  #wanted() {
    const { query: shown, named_stops, follows } = this.spec;
    const query = this.#asked();
    for (const [name, values] of Object.entries(named_stops))
      if (query[follows[name]] === shown[follows[name]])
        query[name] = values[query[name]] ?? query[name];
    return query;
  }

  // Whether the server's figure is of the sliders' values.
  isWanted() {
    const wanted = this.#wanted();
    return Object.entries(this.spec.query).every(
      ([name, text]) => text === wanted[name] || Number(text) === Number(wanted[name]));
  }

  // Asks for the run that a slider will need, before it moves.
  #prepare(name) {
    const isPart = name === "depth" && !this.wishes.followsDepth(this.#asked());
    if (name === "scale" || isPart) this.#wish(name, this.#wanted());
  }

  #moved(name) {
    this.touched = name;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.#draw();
    });
    if (!this.sliders.dragged) this.#verify(); // a key has no release
  }

  #released() {
    if (!this.shown) return;
    if (this.isWanted()) this.#giveWay(); // back where it was: the server sends nothing new
    else this.#verify();
  }

  #draw() {
    if (!this.touched) return;
    const wanted = this.#wanted();
    if (this.isWanted() && !this.sliders.dragged) {
      this.#giveWay();
      return;
    }
    const source = this.#sourceFor(wanted);
    if (source) this.#show(source, wanted);
    else if (!this.#wish(this.touched, wanted)) this.#giveWay();
  }

  // A run that comes late is drawn too while the drag goes on, for there is none of newer values.
  #arrived(source, { kind, query }) {
    if (!this.touched) return;
    const wanted = this.#wanted();
    if (this.#sourceFor(wanted)) this.#draw();
    else {
      if (kind === "measured" && this.sliders.dragged) this.#show(source, query);
      this.#wish(this.touched, wanted);
    }
  }

  #show(source, query) {
    const shown = [source, query.scale, query.depth];
    if (this.shown?.every((part, i) => part === shown[i]) && this.shown.length) return;
    const seen = preview(source, { scale: Number(query.scale), depth: Number(query.depth) });
    const { mark, numbers } = words(seen, this.spec.broken);
    this.overlay.show(seen, mark, `${this.touched} = ${query[this.touched]}`);
    this.root.dataset.shows = seen.kind;
    if (!this.spec.back) this.#say(seen, numbers);
    this.root.goodInitPreview = seen;
    this.shown = shown;
    this.#wait();
  }

  #say({ kind }, numbers) {
    this.spoken.say(numbers);
    document.body.dataset.giLive = kind;
    document.body.dataset.giMoves = this.touched;
  }

  // A measured run comes before an exact one: the server will show the same.
  #sourceFor(wanted) {
    const { wishes, supply } = this;
    const measured = supply.get(wishes.measuredKey(wanted), wanted.depth);
    if (measured || !wishes.isExact(wanted)) return measured;
    const exact = supply.get(wishes.exactKey(wanted), wanted.depth);
    return exact && isKnown(exact, Number(wanted.scale)) ? exact : undefined;
  }

  // Asks for the best run that the host has not refused; returns whether there is one.
  #wish(name, wanted) {
    const best = this.wishes.best(name, wanted)
      .find((wish) => !this.supply.refuses(wish) && !this.#isUseless(wish, wanted));
    if (best) this.supply.wish(best);
    return Boolean(best);
  }

  // Whether the run that a wish asks for is here and does not tell the gradient.
  #isUseless({ key, depth }, { scale }) {
    const source = this.supply.get(key, depth);
    return Boolean(source) && !isKnown(source, Number(scale));
  }

  // Asks for the measured run of what was drawn in exact arithmetic.
  #verify() {
    const wish = this.wishes.measured(this.#wanted());
    const known = this.supply.get(wish.key, wish.depth) || this.supply.refuses(wish);
    if (this.spec.served && !known) this.supply.wish(wish);
  }

  // Ends the preview when the server's figure is of the same values, or is not to be expected.
  #wait(since = performance.now()) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const tired = performance.now() - since > PATIENCE && !serverIsAtWork();
      if (!this.sliders.dragged && (tired || this.isWanted())) this.#giveWay();
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
    this.touched = this.sliders.dragged;
    if (!this.shown) return;
    this.shown = undefined;
    this.overlay.hide();
    if (this.spec.back) return;
    this.spoken.unsay();
    delete document.body.dataset.giLive;
    delete document.body.dataset.giMoves;
  }
}
