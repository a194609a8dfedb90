// Shows a Plotly figure on a node that is kept: zoom, legend choices and hover survive every update.

import { heightOf, isNarrow, pageOf } from "./height.js";
import { Live } from "./live.js";
import { Sticky } from "./sticky.js";
import { unzoomed, withZoom } from "./zoom.js";

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false };

function plotly(source) {
  window.goodInitPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error(`${source} could not be loaded`));
    document.head.append(script);
  });
  return window.goodInitPlotly;
}

function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

const cell = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

// One row per point: curve, x, y, and z for a heat map. A heat map whose colours are logarithms has the
// values themselves in its customdata. Its meta has the values of the axes, and says whether only some
// of the cells are computed.
function toCsv(traces) {
  const rows = [["curve", "x", "y", "z"]];
  for (const trace of traces) {
    if (trace.visible === "legendonly") continue;
    if (trace.z) {
      const { x = trace.x, y = trace.y, partial = false } = trace.meta ?? {};
      (trace.customdata ?? trace.z).forEach((row, j) => row.forEach((z, i) => {
        if (!partial || Number.isFinite(z)) rows.push([trace.name, x[i], y[j], z]);
      }));
    } else {
      trace.y.forEach((y, i) => rows.push([trace.name, trace.x[i], y ?? "", ""]));
    }
  }
  return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

// A saved picture has no page around it, so its legend names every curve.
const onPaper = ({ data, layout }) =>
  ({ data: data.map(({ showlegend, ...trace }) => trace), layout: structuredClone(layout) });

const ACTIONS = {
  png: (Plotly, plot, filename) =>
    Plotly.downloadImage(onPaper(plot), { format: "png", filename, scale: 2, ...paper(plot) }),
  svg: (Plotly, plot, filename) =>
    Plotly.downloadImage(onPaper(plot), { format: "svg", filename, ...paper(plot) }),
  csv: (Plotly, plot, filename) => save(`${filename}.csv`, toCsv(plot._fullData), "text/csv"),
  reset: (Plotly, plot) => Plotly.relayout(plot, unzoomed(plot)),
};

const paper = (plot) => ({ width: Math.max(800, plot.clientWidth), height: plot.clientHeight });

function connect(root, plot, name, wasResized) {
  const menu = root.querySelector(".gi-menu");
  menu.addEventListener("click", (event) => {
    const action = ACTIONS[event.target.dataset.do];
    if (!action) return;
    window.goodInitPlotly.then((Plotly) => action(Plotly, plot, `good-init-${name}`));
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
  menu.querySelector("summary").ariaLabel = `Save the figure ${name}, or reset its view`;
  const alive = new AbortController();
  const outside = (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  };
  document.addEventListener("pointerdown", outside, { signal: alive.signal });
  const resized = new ResizeObserver(wasResized);
  resized.observe(root);
  resized.observe(pageOf(root)); // its other parts may leave the figure more room, or less
  window.addEventListener("resize", wasResized, { signal: alive.signal });
  return () => {
    alive.abort();
    resized.disconnect();
  };
}

const isCoarse = () => matchMedia("(pointer: coarse)").matches;

// Plotly makes room for a legend of several rows, but leaves the colour bar as high as before. So the
// room is made here, a row for each name.
function withOwnPlace(layout, traces) {
  const rows = traces.filter(({ type, showlegend }) => showlegend ?? type !== "heatmap").length;
  return {
    ...layout,
    margin: { ...layout.margin, t: 16 + 19 * Math.max(rows, 1) },
    legend: { ...layout.legend, yref: "container", y: 1, yanchor: "top" },
  };
}

// The main figure is drawn at once. Each of the others waits for a frame of its own, so that the main
// one is on screen first. Of several updates that wait, only the last is drawn.
const nextFrame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
let line = Promise.resolve();

class Chart {
  constructor(root) {
    this.root = root;
    this.plot = root.querySelector(".gi-plot");
  }

  show(Plotly, { figure, alt, name, urgent, live, clicks }) {
    const { root, plot } = this;
    this.clicks = clicks;
    root.setAttribute("aria-label", alt);
    this.disconnect ??= connect(root, plot, name, () => this.resized(Plotly));
    this.figure = figure;
    this.fit();
    const update = () => this.draw(Plotly);
    if (live) {
      this.live ??= new Live(root, plot, update);
      if (!live.back) this.sticky ??= new Sticky(root);
      this.sticky?.place(); // the theme may have changed
    }
    if (live && !this.live.update(live)) return undefined; // the preview is of newer values
    if (urgent) return update();
    line = line.then(nextFrame).then(() => {
      if (this.figure === figure && plot.isConnected) return update();
    });
    return line;
  }

  // Takes the height that the figure has in a window of this size; returns whether it is a new one.
  fit() {
    const before = this.height;
    this.height = heightOf(this.root, this.figure.layout, this.clicks);
    this.plot.style.height = `${this.height}px`;
    return this.height !== before;
  }

  async resized(Plotly) {
    const { plot } = this;
    if (!plot._fullLayout || !plot.clientWidth) return; // not drawn, or hidden
    if (!this.fit() && plot._fullLayout.width === plot.clientWidth) return;
    await Plotly.Plots.resize(plot);
    plot.goodInitLayout.height = this.height;
    this.live?.resized();
  }

  draw(Plotly) {
    const { root, plot, figure } = this;
    root.dataset.shows = "server";
    plot.goodInitLayout = { ...figure.layout, height: this.height };
    if (this.clicks && isNarrow()) plot.goodInitLayout = withOwnPlace(plot.goodInitLayout, figure.data);
    if (this.clicks && isCoarse()) plot.goodInitLayout.dragmode = false; // a finger scrolls the page
    const first = !plot._fullLayout;
    const drawn = Plotly.react(plot, figure.data, withZoom(plot, plot.goodInitLayout), CONFIG);
    if (first) {
      plot.on("plotly_doubleclick", () => ACTIONS.reset(Plotly, plot));
      plot.on("plotly_click", (event) => this.clicked(event));
      plot.addEventListener("pointerdown", (event) => { this.pressed = event; }, true);
    }
    return drawn;
  }

  // Chooses a cell of a heat map: by a click, or by a second tap, since the first one shows the hover
  // text. Plotly reports a tap twice, for the browser makes a click of it too.
  clicked({ points: [{ data, pointIndex }] }) {
    if (!this.clicks || data.type !== "heatmap") return;
    const [row, column] = pointIndex;
    const { pressed, tapped } = this;
    if (pressed === tapped?.pressed) return;
    this.tapped = { pressed, row, column };
    const again = tapped?.row === row && tapped.column === column;
    if (pressed?.pointerType !== "touch" || again) this.choose({ row, column });
  }

  leave() {
    this.live?.leave();
    this.sticky?.leave();
    this.disconnect?.();
    if (this.plot._fullLayout) window.Plotly.purge(this.plot);
  }
}

// Shows the figure in ``data``; returns the function that removes it. Streamlit calls that function
// also when a newer call has replaced this one; then the figure stays.
export async function show({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".gi-figure");
  if (!(root.goodInitChart instanceof Chart)) {
    root.goodInitChart?.leave(); // of another version of this module
    root.goodInitChart = new Chart(root);
  }
  const chart = root.goodInitChart;
  chart.newest = data;
  chart.choose = (cell) => setTriggerValue("cell", cell);
  const Plotly = await plotly(data.plotly).catch(() => setStateValue("failed", true));
  if (Plotly && chart.newest === data && root.isConnected) await chart.show(Plotly, data);
  return () => {
    if (root.isConnected || root.goodInitChart !== chart) return;
    root.goodInitChart = undefined;
    chart.leave();
  };
}
