// On a phone the controls are below the chart, so that scrolling to them would hide it. There the
// answer's numbers and the chart stay below the app's header, and the controls scroll under them.

const NARROW = matchMedia("(max-width: 640px)");

export class Sticky {
  constructor(root) {
    this.column = root.closest('[data-testid="stColumn"]');
    this.main = root.closest('[data-testid="stMain"]');
    this.observer = new ResizeObserver(() => this.place());
    if (this.column) this.observer.observe(this.column);
  }

  place() {
    if (!this.column) return;
    const bottom = this.column.getBoundingClientRect().bottom;
    const top = this.column.querySelector(".gi-stage")?.getBoundingClientRect().top;
    const seen = NARROW.matches && bottom - top < innerHeight * 0.6 ? bottom - top : 0;
    const app = document.querySelector('[data-testid="stApp"]');
    const header = document.querySelector('[data-testid="stHeader"]')?.offsetHeight ?? 0;
    // An element that the browser scrolls to, for a key or a link, stops below them.
    this.main.style.scrollPaddingTop = seen ? `${header + seen}px` : "";
    Object.assign(this.column.style, {
      position: seen ? "sticky" : "",
      top: seen ? `${header + seen - this.column.offsetHeight}px` : "",
      zIndex: seen ? 2 : "",
      backgroundColor: seen ? getComputedStyle(app).backgroundColor : "",
    });
  }

  leave() {
    this.observer.disconnect();
    if (!this.column) return;
    this.main.style.scrollPaddingTop = "";
    Object.assign(this.column.style, { position: "", top: "", zIndex: "", backgroundColor: "" });
  }
}
