// The answer's numbers of a preview, laid over the server's own, so that nothing moves. If Streamlit
// replaces the answer meanwhile, they are laid over the new one.

export class Spoken {
  constructor() {
    this.observer = new MutationObserver(() => this.#lay());
  }

  say(numbers) {
    this.numbers = numbers;
    const answer = document.querySelector(".gi-answer");
    if (answer && answer.parentElement !== this.around) {
      this.around = answer.parentElement;
      this.observer.disconnect();
      this.observer.observe(this.around, { childList: true });
    }
    this.#lay();
  }

  unsay() {
    this.observer.disconnect();
    this.around = this.numbers = undefined;
    document.querySelector(".gi-preview")?.remove();
  }

  #lay() {
    const own = document.querySelector(".gi-numbers:not(.gi-preview)");
    if (!own) return;
    let over = own.nextElementSibling;
    if (!over) {
      over = own.cloneNode(true);
      over.classList.add("gi-preview");
      over.ariaHidden = "true";
      own.after(over);
    }
    [...over.children].forEach((cell, i) =>
      [...cell.children].forEach((line, j) => {
        const text = this.numbers[i][j] ?? ""; // the predicted iteration is not known here
        if (line.textContent !== text) line.textContent = text;
      }));
  }
}
