/*
 * Bars: a figure of each instance of a repeat, side by side.
 */
"use strict";

const BARS_WIDTH = 280,
  BARS_HEIGHT = 56;

/** The least and the greatest of the finite values above zero; zeros where there are none. */
function rangeOf(values) {
  const known = values.filter((value) => value > 0 && value < Infinity);
  if (!known.length) return [0, 0];
  return known.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, 0],
  );
}

/** The figure of each instance of a repeat: of its one fold, or of its rows together. */
function instanceFigures(graph, repeat, name) {
  const { folds, rows } = graph,
    column = COLUMN_OF[name];
  const values = [];
  for (let number = 0; number < folds.times[repeat]; number++) {
    const [first, stop] = instanceOf(graph, repeat, number);
    const parts = partsBetween(graph, repeat, first, stop);
    const figures = parts.map((part) => (part < 0 ? rows[column][~part] : folds[column][part]));
    values.push(
      name === "gradient"
        ? figures[figures.length - 1]
        : figures.reduce((sum, value) => sum + Math.max(value, 0), 0),
    );
  }
  return values;
}

/** Draw bars, those of many side by side as their greatest; gives who finds the one at an x. */
function drawBars(canvas, values, shown, logarithmic) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || BARS_WIDTH,
    height = canvas.clientHeight || BARS_HEIGHT;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const [low, high] = rangeOf(values);
  const share = (value) => {
    if (!(value > 0)) return 0;
    if (!logarithmic) return value / high;
    return high > low ? 0.15 + 0.85 * (Math.log10(value / low) / Math.log10(high / low)) : 1;
  };
  const styles = getComputedStyle(canvas);
  const wide = width / values.length;
  values.forEach((value, at) => {
    context.fillStyle = styles.getPropertyValue(at === shown ? "--text" : "--strong");
    const tall = value === Infinity ? height : share(value) * (height - 2);
    context.fillRect(
      at * wide,
      height - tall,
      Math.max(wide - (wide > 3 ? 1 : 0), at === shown ? 2 : 0.5),
      tall,
    );
  });
  return (x) => Math.max(0, Math.min(values.length - 1, Math.floor(x / wide)));
}
