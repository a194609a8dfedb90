// A zoom is whatever an axis shows beside what it was last asked to show. It belongs to the viewer:
// a new figure changes the range of an axis only where the viewer has not.

const AXES = ["xaxis", "yaxis"];
const close = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));

export const same = (a, b) => Boolean(a && b) && close(a[0], b[0]) && close(a[1], b[1]);

export function isZoomed(plot, axis) {
  const asked = plot.goodInitRanges?.[axis];
  return Boolean(asked) && !same(plot._fullLayout[axis].range, asked);
}

// A layout to draw: ``layout`` with the viewer's ranges where there are any.
export function withZoom(plot, layout) {
  const drawn = structuredClone(layout);
  for (const axis of AXES)
    if (isZoomed(plot, axis)) drawn[axis].range = [...plot._fullLayout[axis].range];
  plot.goodInitRanges = Object.fromEntries(AXES.map((axis) => [axis, layout[axis].range]));
  return drawn;
}

// What Plotly.relayout needs to show again all that the axes were asked to show.
export function unzoomed(plot) {
  const changes = {};
  for (const [axis, range] of Object.entries(plot.goodInitRanges))
    if (range) changes[`${axis}.range`] = [...range];
    else changes[`${axis}.autorange`] = true;
  return changes;
}
