// An axis is zoomed if it shows another range than the page last asked for. A zoom belongs to the
// viewer: a new figure does not change the range of a zoomed axis.

const AXES = ["xaxis", "yaxis"];
const close = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));

export const same = (a, b) => Boolean(a && b) && close(a[0], b[0]) && close(a[1], b[1]);

export function isZoomed(plot, axis) {
  const asked = plot.goodInitRanges?.[axis];
  return Boolean(asked) && !same(plot._fullLayout[axis].range, asked);
}

// ``layout`` with the ranges of the axes that the viewer has zoomed.
export function withZoom(plot, layout) {
  const drawn = structuredClone(layout);
  for (const axis of AXES)
    if (isZoomed(plot, axis)) drawn[axis].range = [...plot._fullLayout[axis].range];
  plot.goodInitRanges = Object.fromEntries(AXES.map((axis) => [axis, layout[axis].range]));
  return drawn;
}

// The changes that let Plotly.relayout show again the ranges that the page asked for.
export function unzoomed(plot) {
  const changes = {};
  for (const [axis, range] of Object.entries(plot.goodInitRanges))
    if (range) changes[`${axis}.range`] = [...range];
    else changes[`${axis}.autorange`] = true;
  return changes;
}
