// Shows a Plotly figure on a node that stays: zoom, legend choices and hover survive every update.

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset" };

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

// One row per point: curve, x, y, and z for a heat map.
function toCsv(traces) {
  const rows = [["curve", "x", "y", "z"]];
  for (const trace of traces) {
    if (trace.visible === "legendonly") continue;
    if (trace.z) {
      trace.z.forEach((row, j) =>
        row.forEach((z, i) => rows.push([trace.name, trace.x[i], trace.y[j], z])));
    } else {
      trace.y.forEach((y, i) => rows.push([trace.name, trace.x[i], y ?? "", ""]));
    }
  }
  return rows.map((row) => row.join(",")).join("\n") + "\n";
}

const ACTIONS = {
  png: (Plotly, plot, filename) =>
    Plotly.downloadImage(plot, { format: "png", filename, scale: 2, ...paper(plot) }),
  svg: (Plotly, plot, filename) =>
    Plotly.downloadImage(plot, { format: "svg", filename, ...paper(plot) }),
  csv: (Plotly, plot, filename) => save(`${filename}.csv`, toCsv(plot._fullData), "text/csv"),
  reset: (Plotly, plot) => {
    const { xaxis, yaxis } = plot.goodInitLayout;
    const range = (axis) => (axis.range ? { range: axis.range } : { autorange: true });
    const changes = {};
    for (const [name, axis] of Object.entries({ xaxis, yaxis }))
      for (const [property, value] of Object.entries(range(axis)))
        changes[`${name}.${property}`] = value;
    return Plotly.relayout(plot, changes);
  },
};

const paper = (plot) => ({ width: Math.max(800, plot.clientWidth), height: plot.clientHeight });

function connect(root, plot, name) {
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
  const resized = new ResizeObserver(() => {
    if (plot._fullLayout) window.Plotly.Plots.resize(plot);
  });
  resized.observe(root);
  return () => {
    alive.abort();
    resized.disconnect();
  };
}

// A phone shows the chart and the first slider together.
const fitted = (height) => (window.innerWidth > 640 ? height : Math.round(0.75 * height));

// The main figure is drawn at once; the others each wait for a frame of their own, so that it is on
// screen first. Of several updates that wait, only the last is drawn.
const nextFrame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
let line = Promise.resolve();

function draw(Plotly, plot, figure, layout, urgent) {
  const update = () => Plotly.react(plot, figure.data, structuredClone(layout), CONFIG);
  plot.goodInitFigure = figure;
  if (urgent) return update();
  line = line.then(nextFrame).then(() => {
    if (plot.goodInitFigure === figure && plot.isConnected) return update();
  });
  return line;
}

const connected = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".gi-figure");
  const plot = root.querySelector(".gi-plot");
  const { figure, alt, script, name, urgent } = data;
  root.setAttribute("aria-label", alt);
  const layout = { ...figure.layout, height: fitted(figure.layout.height) };
  plot.style.height = `${layout.height}px`;
  plot.goodInitLayout = layout;
  if (!connected.has(root)) connected.set(root, connect(root, plot, name));
  plotly(script).then(
    (Plotly) => draw(Plotly, plot, figure, layout, urgent),
    () => setStateValue("failed", true),
  );
  return () => {
    connected.get(root)?.();
    connected.delete(root);
    if (window.Plotly && plot._fullLayout) window.Plotly.purge(plot);
  };
}
