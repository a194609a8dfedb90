// How high a figure is in this window. On a phone it is lower, so that the first slider is in view with
// it. On a projector it takes what the page's other parts leave of the window.

const LOWEST = 220;

export const isNarrow = () => window.innerWidth <= 640;

export const pageOf = (root) => root.closest('[data-testid="stMainBlockContainer"]');

// Also says, by a class, whether the figure takes what is left.
export function heightOf(root, { height, meta }, clicks) {
  root.classList.toggle("gi-fills", Boolean(meta.fills_window));
  if (meta.fills_window)
    return Math.max(LOWEST, window.innerHeight - (pageOf(root).offsetHeight - root.offsetHeight));
  return isNarrow() && !clicks ? Math.round(0.75 * height) : height;
}
