/*
 * Words: numbers as people read them, the same way as in the terminal, and what things are called.
 */
"use strict";

const DOT = " \u00b7 ";

function sizeText(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; Number(bytes.toFixed(1)) >= 1024 && unit < 4; unit++) bytes /= 1024;
  return unit ? `${bytes.toFixed(1)} ${units[unit]}` : `${bytes} B`;
}

function durationText(nanoseconds) {
  const units = ["ns", "\u00b5s", "ms", "s"];
  let unit = 0;
  for (; Number(nanoseconds.toPrecision(3)) >= 1000 && unit < 3; unit++) nanoseconds /= 1000;
  return `${Number(nanoseconds.toPrecision(3))} ${units[unit]}`;
}

function figureText(value, digits = 4) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  return String(Number(value.toPrecision(digits)));
}

/** A gradient's norm; an infinite one stands for elements that are NaN or infinite. */
function normText(norm) {
  return norm === Infinity ? "not finite" : figureText(norm);
}

function countText(number, noun, plural = `${noun}s`) {
  return `${number.toLocaleString("en-US")} ${number === 1 ? noun : plural}`;
}

/** A row's heading: the root's name, else the operation, with the variable that it was bound to. */
function rowHeading(graph, row) {
  const { rows, faces } = graph;
  const title = graph.text(faces.title[rows.face[row]]);
  if (graph.rootNames.get(row)) return `${title} \u2192 ${graph.rootNames.get(row)}`;
  const variable = graph.text(rows.variable[row]);
  return variable ? `${variable} = ${title}` : title;
}

function foldHeading(graph, fold) {
  return graph.text(graph.folds.title[fold]);
}

function leafName(graph, leaf) {
  return graph.text(graph.leaves.name[leaf]) || `leaf #${graph.leaves.node[leaf]}`;
}

/** The name of a leaf as seen from a module: without that module's own path in front. */
function nearName(name, module) {
  return module && name.startsWith(`${module}.`) ? name.slice(module.length + 1) : name;
}

/** The full name of the module around a row or fold, empty outside of all. */
function moduleAround(graph, fold) {
  for (const one of foldsAround(graph, fold)) {
    if (graph.folds.kind[one] === MODULE) return graph.text(graph.folds.module[one]);
  }
  return "";
}

/** What a thing is called: {row}, {fold} or {leaf}. */
function nameOf(graph, thing) {
  if (thing.row !== undefined) return rowHeading(graph, thing.row);
  if (thing.fold !== undefined) return foldHeading(graph, thing.fold);
  return leafName(graph, thing.leaf);
}

function shortened(text, longest) {
  if (text.length <= longest) return text;
  const head = Math.floor(longest / 3);
  return `${text.slice(0, head)}\u2026${text.slice(head + 1 - longest)}`;
}
