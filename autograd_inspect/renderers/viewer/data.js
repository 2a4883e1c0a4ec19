/*
 * Data: the columns that `packing.py` wrote, as typed arrays, and the tables made of them.
 *
 * A graph here is: facts (title, opening, findings, ...), text(number), and the tables rows, folds,
 * arrows, uses, leaves, whose columns `model/folds.py` explains. A row counts in forward order;
 * an arrow leads from the user (source) to what it uses (target).
 */
"use strict";

const MODULE = 0,
  REPEAT = 1,
  CHAIN = 2;

const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** Unpack base64 of deflated columns. */
async function unpacked(base64) {
  const raw = atob(base64.trim());
  const deflated = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) deflated[at] = raw.charCodeAt(at);
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  return graphOf(await new Response(stream).arrayBuffer());
}

/** Make a graph of the bytes that `packing.py` describes. */
function graphOf(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const tables = {};
  for (const [name, [dtype, size, offset, coding]] of Object.entries(head.columns)) {
    const stored = new ARRAYS[dtype](buffer, 4 + length + offset, size);
    const [table, column] = name.split(".");
    (tables[table] ||= {})[column] = coding === "delta" ? summed(stored) : stored;
  }
  return assembled(head.facts, tables);
}

function summed(differences) {
  const values = new Int32Array(differences.length);
  let value = 0;
  for (let at = 0; at < values.length; at++) values[at] = value += differences[at];
  return values;
}

/** Where each row's entries begin, of a column that rises: `starts[row]` to `starts[row + 1]`. */
function startsOf(rising, count) {
  const starts = new Int32Array(count + 1);
  for (let at = 0; at < rising.length; at++) starts[rising[at] + 1]++;
  for (let row = 0; row < count; row++) starts[row + 1] += starts[row];
  return starts;
}

function startsOfCounts(counts) {
  const starts = new Int32Array(counts.length + 1);
  for (let row = 0; row < counts.length; row++) starts[row + 1] = starts[row] + counts[row];
  return starts;
}

function assembled(facts, tables) {
  const { rows, folds, arrows, uses, leaves, faces, saved, kept } = tables;
  rows.size = rows.node.length;
  folds.size = folds.kind.length;
  folds.parent = new Int32Array(folds.size);
  folds.stop = new Int32Array(folds.size);
  for (let fold = 0; fold < folds.size; fold++) {
    folds.parent[fold] = folds.outwards[fold] ? fold - folds.outwards[fold] : -1;
    folds.stop[fold] = folds.first[fold] + folds.rows[fold];
  }
  arrows.size = arrows.source.length;
  arrows.target = new Int32Array(arrows.size);
  for (let at = 0; at < arrows.size; at++) arrows.target[at] = arrows.source[at] - arrows.reach[at];
  arrows.start = startsOf(arrows.source, rows.size);
  uses.start = startsOf(uses.source, rows.size);
  leaves.size = leaves.node.length;
  saved.start = startsOfCounts(rows.saves);
  const strings = facts.strings;
  const graph = {
    facts,
    rows,
    folds,
    arrows,
    uses,
    leaves,
    faces,
    saved,
    kept,
    text: (number) => strings[number],
    rootNames: new Map(facts.roots.map(([row, name]) => [row, strings[name]])),
  };
  graph.childStart = new Int32Array(folds.size + 2);
  for (const parent of folds.parent) graph.childStart[parent + 2]++;
  for (let at = 1; at < folds.size + 2; at++) graph.childStart[at] += graph.childStart[at - 1];
  graph.children = new Int32Array(folds.size);
  const next = graph.childStart.slice();
  for (let fold = 0; fold < folds.size; fold++)
    graph.children[next[folds.parent[fold] + 1]++] = fold;
  return graph;
}

/** The folds right inside of one, -1 for those inside of none. */
function childrenOf(graph, fold) {
  return graph.children.subarray(graph.childStart[fold + 1], graph.childStart[fold + 2]);
}

/** What lies right inside of a fold between two rows: folds, and rows as ~row. */
function partsBetween(graph, fold, first, stop) {
  const inner = childrenOf(graph, fold),
    parts = [];
  let at = lowerBound(inner, first, (one) => graph.folds.first[one]);
  for (let row = first; row < stop;) {
    if (at < inner.length && graph.folds.first[inner[at]] === row) {
      parts.push(inner[at]);
      row = graph.folds.stop[inner[at++]];
    } else {
      parts.push(~row++);
    }
  }
  return parts;
}

/** The first place in a sorted list whose key is no less than `value`. */
function lowerBound(list, value, key) {
  let low = 0,
    high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle]) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First row of one instance of a repeat, and the row after its last. */
function instanceOf(graph, repeat, number) {
  const { first, rows, times } = graph.folds;
  const period = rows[repeat] / times[repeat];
  return [first[repeat] + number * period, first[repeat] + (number + 1) * period];
}

/** Which instance of a repeat a row lies in. */
function instanceAt(graph, repeat, row) {
  const { first, rows, times } = graph.folds;
  return Math.floor(((row - first[repeat]) * times[repeat]) / rows[repeat]);
}

/** From a fold outwards, itself first. */
function* foldsAround(graph, fold) {
  for (; fold >= 0; fold = graph.folds.parent[fold]) yield fold;
}

/** The leaves that rows from `first` to `stop` use, each once, in the order of their first use. */
function leavesBetween(graph, first, stop, most = Infinity) {
  const found = new Set();
  const { start, leaf } = graph.uses;
  for (let at = start[first]; at < start[stop] && found.size < most; at++) found.add(leaf[at]);
  return [...found];
}

if (typeof module !== "undefined") {
  module.exports = { graphOf, assembled, startsOf };
}
