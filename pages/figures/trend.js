// Whether a curve has a constant factor per product, and which: the test of core/reading/trend.py.

const LEAST_STEPS = 4;
const [SURE, CLEAR, BEND, FLAT, PREFERRED, STEEPEST] = [3, 4, 0.02, 0.002, 6, 2.5];

const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;
const squares = (values) => sum(values.map((value) => value * value));

// What is left of the steps, as a mean square, after a multiple of ``shape`` is taken from them.
function residual(steps, shape) {
  const fitted = sum(steps.map((step, i) => step * shape[i])) / squares(shape);
  return squares(steps.map((step, i) => step - fitted * shape[i])) / steps.length;
}

// The mean of steps, the scatter of one, and the error of the mean.
function average(steps) {
  const middle = Math.floor(steps.length / 2);
  const around = (part) => squares(part.map((step) => step - mean(part)));
  const left = around(steps.slice(0, middle)) + around(steps.slice(middle));
  const scatter = Math.sqrt(left / Math.max(1, steps.length - 2));
  return { rate: mean(steps), scatter, error: scatter / Math.sqrt(steps.length) };
}

// Whether steps that end the curve are told apart from those of a power of the layer's number.
function clearerThanAPower(steps, first) {
  if (Math.abs(sum(steps)) > STEEPEST) return true;
  const straight = residual(steps, steps.map(() => 1));
  const bent = residual(steps, steps.map((_, i) => Math.log2((first + i + 2) / (first + i + 1))));
  return (bent - straight) * steps.length > PREFERRED * straight;
}

// The factor per product by the end of the first layers; NaN if it is not constant.
export function growth(log2, layers) {
  const steps = [];
  for (let k = 1; k < layers; k += 1) steps.push(log2[k] - log2[k - 1]);
  if (steps.length < LEAST_STEPS) return NaN;
  const begins = Math.min(
    Math.floor(steps.length / 2), Math.max(0, steps.length - 2 * LEAST_STEPS));
  const [before, last] = [steps.slice(0, begins), steps.slice(begins)];
  const middle = Math.floor(last.length / 2);
  const { rate, scatter, error } = average(last);
  const isFlat = (of) => Math.abs(of.rate) <= Math.max(FLAT, CLEAR * of.error);
  const flat = isFlat({ rate, error });
  const allowed = Math.max(BEND * Math.abs(rate), 2 * SURE * error, flat ? FLAT : 0);
  if (Math.abs(mean(last.slice(0, middle)) - mean(last.slice(middle))) > allowed) return NaN;
  if (flat) return error <= FLAT ? 2 ** rate : NaN;
  if (!clearerThanAPower(last, begins)) return NaN;
  const doubt = SURE * scatter * Math.sqrt(1 / before.length + 1 / last.length);
  const steady = !before.length
    || Math.abs(mean(before) - rate) <= Math.max(BEND * Math.abs(rate), doubt);
  const whole = average(steps);
  return 2 ** (steady && !isFlat(whole) ? whole.rate : rate);
}
