// The page's sliders while they move. Streamlit sends a slider's value when it is let go; until then
// only its native input has it.

export class Sliders {
  // ``reached`` is called with a slider's name when the pointer or the focus comes to it; ``moved``
  // when a hand or a key has changed its value; ``released`` when a drag has ended.
  constructor({ reached, moved, released }) {
    this.listeners = { reached, moved, released };
    this.names = [];
    this.watched = new WeakSet();
    this.observer = new MutationObserver((changes) => this.#changed(changes));
    this.alive = new AbortController();
    const options = { signal: this.alive.signal, capture: true, passive: true };
    const reach = (event) => this.#reach(event.target);
    for (const kind of ["pointerover", "focusin"]) addEventListener(kind, reach, options);
    addEventListener("pointerdown", (event) => this.#pressed(event), options);
    for (const kind of ["pointerup", "pointercancel"])
      addEventListener(kind, (event) => this.#released(event.pointerId), options);
    addEventListener("blur", () => this.#released(this.pointer), { signal: this.alive.signal });
  }

  follow(names) {
    this.names = names;
    this.#reach(document.activeElement);
  }

  // Name -> value as text, of the sliders that are on the page.
  values() {
    const values = {};
    for (const name of this.names) {
      const input = document.querySelector(`.st-key-${name} input[type="range"]`);
      if (input) values[name] = input.getAttribute("aria-valuetext");
    }
    return values;
  }

  leave() {
    this.alive.abort();
    this.observer.disconnect();
  }

  #nameAt(element) {
    const slider = element?.closest?.('[data-testid="stSlider"]');
    return this.names.find((name) => slider?.closest(`.st-key-${name}`));
  }

  #reach(element) {
    const name = this.#nameAt(element);
    if (!name) return;
    const input = element.closest('[data-testid="stSlider"]').querySelector('input[type="range"]');
    if (!this.watched.has(input)) {
      this.watched.add(input);
      this.observer.observe(input, { attributeFilter: ["aria-valuetext"] });
    }
    this.listeners.reached(name);
  }

  #pressed(event) {
    if (!event.isPrimary || event.button !== 0) return;
    this.#reach(event.target);
    this.dragged = this.#nameAt(event.target);
    this.pointer = event.pointerId;
  }

  #released(pointer) {
    if (!this.dragged || pointer !== this.pointer) return;
    this.dragged = undefined;
    this.listeners.released();
  }

  #changed(changes) {
    const byHand = (input) =>
      this.#nameAt(input) === this.dragged || input === document.activeElement;
    const input = changes.map(({ target }) => target).find(byHand);
    if (input) this.listeners.moved(this.#nameAt(input)); // else the server has moved it
  }
}
