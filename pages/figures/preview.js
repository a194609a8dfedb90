// The curves and the answer for another scale factor or depth, computed from a source: a document of
// core/reading/preview.py. Nothing here reads or changes the page. All sizes are log2, so that nothing
// overflows.

import { growth } from "./trend.js";

const LOG10_2 = Math.log10(2);
const PAD = 0.06; // of the visible range, above and below
const LEAST_DECADES = 4;
const EVERY_LAYER = 12; // up to this depth every layer gets a tick

function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Float64Array(bytes.buffer);
}

// A document from the host, with its arrays unpacked.
export function read(document) {
  const source = { ...document };
  for (const name of Object.keys(document))
    if (name === "shifts" || name.startsWith("log2_")) source[name] = unpacked(document[name]);
  if (document.there) source.there = { ...read(document.there), range: document.range };
  return source;
}

const earlier = (index, depth) => (index !== null && index < depth ? index : null);

// log2 of layer k's size at another scale factor, given its log2 at scale factor 1.
const scaled = (shifts, shift) => Object.assign(
  (log2, k) => (shift && shifts[k] ? log2[k] + shifts[k] * shift : log2[k]), { shift });

// The first event in exact arithmetic, as the loop's index i = layer − 1. An input or a gradient may be
// out of range before its first step: a scale of its own multiplies it. Of an input that is i = 0.
function exactEvents({ range, goes_back: back, log2_weight, ...sizes }, at, depth) {
  for (let layer = 0; layer <= depth; layer += 1) {
    const index = back ? layer - 1 : Math.max(0, layer - 1);
    const weight = layer ? log2_weight[layer] + at.shift : 0;
    const reach = Math.max(weight, at(sizes.log2_reach, layer));
    if (reach >= range.overflow) return { nonfinite: index, zero: null };
    const largest = at(sizes.log2_max_abs, layer);
    // Where sums have the format of the numbers, every term of a sum is rounded to it.
    const terms = range.rounds_terms && layer ? weight + at(sizes.log2_max_abs, layer - 1) : Infinity;
    if (weight <= range.underflow || Math.min(largest, terms) <= range.underflow)
      return { nonfinite: null, zero: index };
  }
  return { nonfinite: null, zero: null };
}

// Whether exact arithmetic tells a gradient at this scale factor: only while the signal is in range.
export function isKnown({ kind, there, depth }, scale) {
  if (kind !== "exact" || !there) return true;
  const { nonfinite, zero } = exactEvents(there, scaled(there.shifts, Math.log2(scale)), depth);
  return nonfinite === null && zero === null;
}

function layersInRange(log2, largest, range, end) {
  let layers = 0;
  while (layers < end && Number.isFinite(log2[layers]) && largest[layers] >= range.smallest_normal)
    layers += 1;
  return layers;
}

// The values of the layers before ``end`` that are finite; NaN for the others.
function curve(valueAt, depth, end) {
  const drawn = new Float64Array(depth + 1).fill(NaN);
  for (let k = 0; k < end; k += 1) {
    const value = valueAt(k);
    if (Number.isFinite(value)) drawn[k] = value;
  }
  return drawn;
}

// The run of ``source`` at this scale factor and depth.
//
// Returns log2_std, log2_rms and log2_max_abs per layer, NaN where there is nothing to draw; log2 of
// the scale factor as shift, 0 for a measured source, and its power per layer as shifts; whether it is a
// gradient as back, whose layers count from the output; the events nonfinite, nan and zero as loop indices or null; the last layer whose size is finite and not zero
// as alive; the growth per layer; and what a layer is called as step.
export function preview(source, { scale, depth }) {
  const exact = source.kind === "exact";
  const shift = exact ? Math.log2(scale) : 0;
  const { shifts } = source; // by which power of the scale factor each layer grows
  const at = scaled(shifts, shift);
  const { nonfinite, zero } = exact
    ? exactEvents(source, at, depth)
    : { nonfinite: earlier(source.first_nonfinite, depth), zero: earlier(source.all_zero, depth) };
  const gone = exact ? nonfinite ?? zero : null; // an exact curve ends here
  const end = gone === null ? depth + 1 : gone + 1;
  const names = ["log2_std", "log2_rms", "log2_max_abs"];
  const curves = Object.fromEntries(
    names.map((name) => [name, curve((k) => at(source[name], k), depth, end)]));
  const log2 = source.single_number ? curves.log2_rms : curves.log2_std;
  const layers = exact
    ? layersInRange(log2, curves.log2_max_abs, source.range, end)
    : Math.min(source.in_range, depth + 1);
  const alive = exact ? end - 1 : source.states.lastIndexOf("a", depth);
  return {
    ...curves,
    kind: source.kind,
    back: source.goes_back,
    shift,
    shifts,
    depth,
    range: source.range,
    singleNumber: source.single_number,
    nonfinite,
    nan: exact ? null : earlier(source.first_nan, depth),
    zero: nonfinite === null ? zero : null,
    alive,
    endsInZero: exact ? zero !== null : source.states[depth] === "z",
    log2Last: at(source.single_number ? source.log2_rms : source.log2_std, alive),
    // Layers that add branches of a size of their own multiply nothing by a constant factor.
    growth: source.adds_up ? NaN : growth(log2, layers),
    step: source.step,
  };
}

// By how much the bands of layer k move, in octaves. For a measured preview this is not known: they
// stay.
export function bandShift({ kind, shift, shifts }, spread) {
  const apart = kind === "exact" ? shift - spread.shift : 0;
  return (k) => (apart ? shifts[k] * apart : 0);
}

// Both ends of the 90 % band, in decades, while the signal is in range.
function bandDecades(shown, spread) {
  const moved = bandShift(shown, spread);
  const { smallest_subnormal: least, max: most } = shown.range;
  return [spread.rows[0], spread.rows.at(-1)].flatMap((row) =>
    row.slice(0, shown.alive + 1)
      .map((log2, k) => (log2 === null ? NaN : log2 + moved(k)))
      .filter(Number.isFinite)
      .map((log2) => Math.min(most, Math.max(least, log2)) * LOG10_2));
}

// Axis ranges as the chart itself chooses them: layers, and decades of std.
//
// ``stays`` is the room for the curves that stay: their deepest layer, and both ends in decades, if
// there are any. ``spread`` describes the figure's bands: log2 of std at five levels, and of the scale
// factor that they are drawn for.
export function axes(shown, stays, spread) {
  const { depth, log2_rms, range, nonfinite, zero } = shown;
  const seen = log2_rms.filter(Number.isFinite).map((log2) => log2 * LOG10_2);
  let [low, high] = seen.length ? [Math.min(...seen), Math.max(...seen)] : [-1, 1];
  if (nonfinite !== null) high = Math.max(high, range.max * LOG10_2);
  if (zero !== null || low < range.smallest_normal * LOG10_2)
    low = Math.min(low, range.smallest_subnormal * LOG10_2);
  const staying = [...stays.decades, ...(spread ? bandDecades(shown, spread) : [])];
  [low, high] = [Math.min(low, ...staying), Math.max(high, ...staying)];
  const missing = Math.max(0, LEAST_DECADES - (high - low)) / 2;
  [low, high] = [low - missing, high + missing];
  const pad = PAD * (high - low);
  const deepest = Math.max(depth, stays.depth);
  return {
    xaxis: [-0.01 * deepest - 0.4, deepest * 1.01 + 0.4],
    yaxis: [low - pad, high + pad],
    everyLayer: deepest <= EVERY_LAYER,
    ticks: Math.max(1, Math.round((high - low + 2 * pad) / 7)),
  };
}

// Three significant digits, as core/text.py writes them.
export function significant(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  if (value === 0) return "0";
  const [digits, exponent] = value.toExponential(2).split("e");
  const short = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent < -4 || exponent >= 3) return `${short(digits)}e${Number(exponent)}`;
  return short(value.toFixed(2 - exponent));
}

// A size as text, also where it is beyond the range of a double.
export function size(log2) {
  if (!Number.isFinite(log2)) return significant(2 ** log2);
  if (log2 > -1022 && log2 < 1024) return significant(2 ** log2);
  const decades = log2 * LOG10_2;
  const exponent = Math.floor(decades);
  return `${significant(10 ** (decades - exponent))}e${exponent}`;
}

export function ordinal(number) {
  const teen = number % 100 >= 10 && number % 100 <= 20;
  return `${number}${(!teen && { 1: "st", 2: "nd", 3: "rd" }[number % 10]) || "th"}`;
}

const steps = (count, step) => `${count} ${step}${count === 1 ? "" : "s"}`;

function iteration({ kind, back, depth, nonfinite, nan, zero, step }, broken) {
  const at = (index) => (back ? `layer ${depth - 1 - index}` : `i = ${index}`);
  if (nonfinite !== null) {
    const word = (kind === "exact" ? broken : nan === nonfinite ? "NaN" : "Inf") ?? "Inf or NaN";
    const place = `i = ${nonfinite}, the ${ordinal(nonfinite + 1)} ${step}`;
    const later = nan === null ? "never NaN" : `NaN at i = ${nan}`;
    const detail = word === "NaN" || kind === "exact" ? place : `${place}; ${later}`;
    const label = word === "NaN" ? "NaN iteration" : `First ${word}`;
    return { mark: `${word} at ${at(nonfinite)}`, cell: [label, `${nonfinite}`, detail] };
  }
  if (zero !== null) {
    const detail = `i = ${zero}, the ${ordinal(zero + 1)} ${step}; no NaN`;
    const cell = ["All zero at iteration", `${zero}`, detail];
    return { mark: `all zero at ${at(zero)}`, cell };
  }
  const detail = `every element is finite after ${steps(depth, step)}`;
  return { mark: "", cell: ["NaN iteration", "none", detail] };
}

// The answer in words: ``mark`` for the chart, and ``numbers`` with label, value and detail of each.
//
// ``broken`` is whether the server's last break was NaN or Inf, or null: exact arithmetic tells where
// the range ends, but not which of the two a sum of infinities becomes.
export function words(seen, broken) {
  const { depth, alive, endsInZero, log2Last, growth: rate, step } = seen;
  const { mark, cell } = iteration(seen, broken);
  const ended = alive < depth ? `, the last ${endsInZero ? "not zero" : "finite"}` : "";
  const numbers = [
    cell,
    [seen.singleNumber ? "last |x|" : "last std", size(log2Last), `at layer ${alive}${ended}`],
    Number.isNaN(rate)
      ? [`growth per ${step}`, "–", "no constant factor"]
      : [`growth per ${step}`, `× ${significant(rate)}`, "a constant factor"],
  ];
  return { mark, numbers };
}
