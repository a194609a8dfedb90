// On a phone the controls stand below the chart, and would scroll it away: there the answer's numbers
// and the chart stay at the top of the window, and the controls pass under them.

const NARROW = matchMedia("(max-width: 640px)");

export function keepInView(root) {
  const column = root.closest('[data-testid="stColumn"]');
  const place = () => {
    const numbers = column.querySelector(".gi-stage");
    const seen = column.getBoundingClientRect().bottom - numbers?.getBoundingClientRect().top;
    const sticky = NARROW.matches && seen < innerHeight * 0.6;
    const app = getComputedStyle(document.querySelector('[data-testid="stApp"]'));
    // What is scrolled to, by a key or by a link, should not end up behind it.
    column.closest('[data-testid="stMain"]').style.scrollPaddingTop = sticky ? `${seen}px` : "";
    Object.assign(column.style, {
      position: sticky ? "sticky" : "",
      top: sticky ? `${seen - column.offsetHeight}px` : "",
      zIndex: sticky ? 2 : "",
      backgroundColor: sticky ? app.backgroundColor : "",
    });
  };
  if (!column) return () => {};
  const resized = new ResizeObserver(place);
  resized.observe(column);
  NARROW.addEventListener("change", place);
  return () => {
    resized.disconnect();
    NARROW.removeEventListener("change", place);
  };
}
