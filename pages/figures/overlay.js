// The drawing of a preview over a Plotly figure: its curves and its event, on the figure's own axes.
// Plotly itself would take tens of milliseconds for each new figure.

import { axes, bandShift } from "./preview.js";
import { isZoomed, same } from "./zoom.js";

const SVG = "http://www.w3.org/2000/svg";
const LOG10_2 = Math.log10(2);
const FAR = 1e5; // pixels; a renderer may fail at coordinates beyond
const MOST_DOTS = 12;
const DOT = 4;
const BANDS = [[0, 4], [1, 3]]; // places, among five quantiles, of the edges of each band
const MEDIAN = 2;
const NEAR_END = 0.15; // of the axis: words there begin or end at their point, as core's event_marks
const UNDER_TICKS = 36; // pixels from the x axis to the baseline of words under its ticks

let count = 0; // of overlays so far, for each figure has one of its own

const set = (node, attributes) =>
  Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));

const element = (name, parent, attributes = {}) => {
  const node = document.createElementNS(SVG, name);
  set(node, attributes);
  parent.append(node);
  return node;
};

// The line through all values, with a gap where one is missing; if they are few, also a dot for each.
function paths(values, x, y) {
  const [line, dots] = [[], []];
  let pen = "M";
  values.forEach((log2, layer) => {
    const missing = Number.isNaN(log2);
    if (!missing) {
      const place = `${x(layer).toFixed(1)},${y(log2).toFixed(1)}`;
      line.push(pen, place);
      dots.push("M", place, "h0");
    }
    pen = missing ? "M" : "L";
  });
  return [line.join(""), dots.length <= 3 * MOST_DOTS ? dots.join("") : ""];
}

export class Overlay {
  constructor(root, plot) {
    this.root = root;
    this.plot = plot;
  }

  // ``of`` names the value that a measured preview belongs to, for the slider may be further on.
  show(seen, mark, of) {
    this.svg ??= this.#build();
    const { x: at, y } = this.#axes(seen);
    const x = seen.back ? (k) => at(seen.depth - k) : at; // a gradient begins at the last layer
    this.#drawSpread(seen, x, y);
    this.#drawCurves(seen, x, y);
    this.#drawEvent(seen, mark, x);
    this.#label(seen, of);
    this.root.classList.add("gi-live");
  }

  hide() {
    this.root.classList.remove("gi-live");
    this.svg?.remove();
    this.svg = undefined;
  }

  #build() {
    const svg = element("svg", this.root, { class: "gi-overlay", "aria-hidden": "true" });
    const id = `gi-overlay-clip-${(count += 1)}`;
    this.clip = element("rect", element("clipPath", element("defs", svg), { id }));
    const inside = element("g", svg, { "clip-path": `url(#${id})` });
    this.tint = element("rect", inside, { opacity: 0.12 });
    this.spread = element("g", inside, { class: "gi-spread" });
    BANDS.forEach(() => element("path", this.spread, { "fill-opacity": 0.16, stroke: "none" }));
    element("path", this.spread, { fill: "none", "stroke-width": 1.5, "stroke-dasharray": "9,9" });
    this.curves = element("g", inside, { class: "gi-curves", fill: "none", "stroke-width": 2 });
    this.event = element("line", inside, { "stroke-width": 2 });
    this.note = element("text", svg, { "font-size": 14, "font-weight": 700 });
    this.badge = element("text", svg, { class: "gi-badge", "font-size": 12 });
    return svg;
  }

  // Sets the figure's axes for the preview, unless the viewer has zoomed; returns value -> pixel.
  #axes(seen) {
    const { plot } = this;
    const asked = axes(seen, plot.goodInitLayout.meta.stays, this.#median()?.meta.spread);
    const dtick = { xaxis: asked.everyLayer ? 1 : null, yaxis: asked.ticks };
    const changes = {};
    for (const axis of ["xaxis", "yaxis"]) {
      if (same(asked[axis], plot.goodInitRanges[axis])) continue;
      if (!isZoomed(plot, axis)) {
        changes[`${axis}.range`] = [...asked[axis]]; // a copy, for Plotly changes it in a zoom
        const known = plot.layout[axis].dtick ?? null;
        if (dtick[axis] !== known) changes[`${axis}.dtick`] = dtick[axis];
      }
      plot.goodInitRanges[axis] = asked[axis];
    }
    if (Object.keys(changes).length) window.Plotly.relayout(plot, changes);
    const full = plot._fullLayout; // relayout may have replaced it
    const { l, t, w, h } = full._size;
    const [x0, x1] = full.xaxis.range;
    const [y0, y1] = full.yaxis.range;
    this.area = { l, t, w, h };
    set(this.clip, { x: l, y: t, width: w, height: h });
    return {
      x: (layer) => l + ((layer - x0) / (x1 - x0)) * w,
      y: (log2) => Math.min(FAR, Math.max(-FAR, t + ((y1 - log2 * LOG10_2) / (y1 - y0)) * h)),
    };
  }

  #median() {
    return this.plot._fullData.find(({ meta }) => meta?.spread);
  }

  // The figure's own bands, moved to the preview's scale factor; only an exact preview has them.
  #drawSpread(seen, x, y) {
    const median = this.#median();
    const shown = seen.kind === "exact" && median?.visible === true;
    this.spread.style.display = shown ? "" : "none";
    if (!shown) return;
    const [{ rows }, moved] = [median.meta.spread, bandShift(seen, median.meta.spread)];
    const { depth } = seen;
    const lines = rows.map((row) => {
      const end = row.slice(0, depth + 1).findIndex((log2) => log2 === null);
      const values = row.slice(0, end < 0 ? depth + 1 : end);
      return values.map((log2, k) =>
        `${x(k).toFixed(1)},${y(log2 + moved(k)).toFixed(1)}`);
    });
    const path = (points) => (points.length ? `M${points.join("L")}` : "");
    const [wide, narrow, middle] = this.spread.children;
    [wide, narrow].forEach((band, i) => {
      const [low, high] = BANDS[i];
      set(band, { d: path([...lines[low], ...lines[high].reverse()]), fill: median.line.color });
    });
    set(middle, { d: path(lines[MEDIAN]), stroke: median.line.color });
  }

  #drawCurves(seen, x, y) {
    const main = seen.singleNumber ? "log2_rms" : "log2_std"; // one number has no std
    const traces = this.plot._fullData
      .filter(({ meta }) => meta?.statistic)
      .map(({ meta, line, visible }, i) => ({
        color: line.color,
        values: visible === true && seen[i === 0 ? main : meta.statistic],
      }))
      .filter(({ values }) => values);
    while (this.curves.children.length > traces.length) this.curves.lastChild.remove();
    while (this.curves.children.length < traces.length) {
      const curve = element("g", this.curves);
      element("path", curve);
      element("path", curve, { "stroke-width": DOT, "stroke-linecap": "round" });
    }
    traces.forEach((trace, i) => {
      const curve = this.curves.children[i];
      const [line, dots] = paths(trace.values, x, y);
      curve.setAttribute("stroke", trace.color);
      curve.children[0].setAttribute("d", line);
      curve.children[1].setAttribute("d", dots);
    });
  }

  // Says what kind of preview it is, in a corner that the curve leaves free.
  #label({ kind, back, range, log2_rms, log2Last }, of) {
    const { l, t, w, h } = this.area;
    const rises = (log2Last >= log2_rms[0]) !== back; // to the right
    set(this.badge, { x: l + w - 8, y: rises ? t + h - 8 : t + 16, "text-anchor": "end" });
    this.badge.textContent =
      kind === "exact" ? "preview in exact arithmetic" : `measured in ${range.name}, ${of}`;
  }

  #drawEvent({ back, nonfinite, zero, depth }, mark, x) {
    const { t, h } = this.area;
    const { event_colors: colors, stays, unanswered } = this.plot.goodInitLayout.meta;
    const index = unanswered ? null : nonfinite ?? zero;
    for (const node of [this.event, this.tint, this.note])
      node.style.display = index === null ? "none" : "";
    if (index === null) return;
    const color = colors[nonfinite !== null ? 0 : 1];
    const layer = back ? depth - 1 - index : index + 1;
    const share = layer / Math.max(depth, stays.depth);
    const [place, end] = [x(index + 1), x(depth + 0.5)];
    set(this.event, { x1: place, x2: place, y1: t, y2: t + h, stroke: color });
    const width = Math.abs(end - place);
    set(this.tint, { x: Math.min(place, end), y: t, width, height: h, fill: color });
    const anchor = share < NEAR_END ? "start" : share > 1 - NEAR_END ? "end" : "middle";
    set(this.note, { x: place, y: t + h + UNDER_TICKS, "text-anchor": anchor });
    this.note.textContent = mark;
  }
}
