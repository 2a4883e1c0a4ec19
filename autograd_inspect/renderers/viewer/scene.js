/*
 * Scene: what is to be seen of a graph when some folds are open; passes/folding/unfolding.py again.
 *
 * An opening is {open: Uint8Array per fold, shown: Map of repeat -> instance, 0 where it has none,
 * ALL for every one}.
 * A scene has items in forward order, rows or closed folds:
 *   row, fold, inside   per item: its row or -1, the closed fold that it is or -1, the innermost
 *                       open fold around it or -1
 *   frames              the open folds that hold something, outer ones first
 *   source, target      per arrow, its ends as items; arrow, count, carried as in `Scene` there
 *   item                per row of the graph, the item that it is in, or that its like is in
 *   open, shown         the opening
 */
"use strict";

const ALL = -1;

function unfold(graph, opening) {
  const { rows, folds, arrows } = graph;
  const lid = lidsOf(folds, opening.open);
  const lidOf = (fold) => (fold < 0 ? -1 : lid[fold]);
  const { twin, carried } = twinsOf(graph, opening, lidOf);
  const shown = new Int32Array(rows.size);
  const isFirst = new Uint8Array(rows.size);
  for (let row = 0; row < rows.size; row++) {
    const closed = lidOf(rows.fold[twin[row]]);
    shown[row] = closed < 0 ? twin[row] : folds.first[closed];
    isFirst[shown[row]] = 1;
  }
  const number = new Int32Array(rows.size);
  let size = 0;
  for (let row = 0; row < rows.size; row++) if (isFirst[row]) number[row] = size++;
  const item = shown.map((row) => number[row]);
  const row = new Int32Array(size),
    fold = new Int32Array(size),
    inside = new Int32Array(size);
  for (let first = 0, at = 0; first < rows.size; first++) {
    if (!isFirst[first]) continue;
    const closed = lidOf(rows.fold[first]);
    row[at] = closed < 0 ? first : -1;
    fold[at] = closed;
    inside[at++] = closed < 0 ? rows.fold[first] : folds.parent[closed];
  }
  const scene = {
    size,
    row,
    fold,
    inside,
    item,
    frames: framesOf(graph, inside),
    open: opening.open.slice(),
    shown: new Map(opening.shown),
  };
  return Object.assign(scene, joinedArrows(arrows, item, fold, carried, size));
}

/** The outermost closed fold around each fold, itself among them; -1 where all are open. */
function lidsOf(folds, open) {
  const lid = new Int32Array(folds.size);
  for (let fold = 0; fold < folds.size; fold++) {
    // an outer fold comes before those in it
    const above = folds.parent[fold] < 0 ? -1 : lid[folds.parent[fold]];
    lid[fold] = above >= 0 ? above : open[fold] ? -1 : fold;
  }
  return lid;
}

/**
 * Each row's like among the instances on show, and which arrows change instances. What is open in
 * the instance on show counts in all of them, so this goes from the outside in.
 */
function twinsOf(graph, opening, lidOf) {
  const { rows, arrows } = graph;
  const twin = Int32Array.from({ length: rows.size }, (_, row) => row);
  const carried = new Uint8Array(arrows.size);
  for (const level of levelsOf(graph.folds, repeatsSeen(graph, opening, lidOf))) {
    const repeatOf = new Int32Array(rows.size).fill(-1),
      number = new Int32Array(rows.size),
      like = new Int32Array(rows.size);
    for (const repeat of level) {
      const { first, stop, times } = graph.folds;
      const period = (stop[repeat] - first[repeat]) / times[repeat];
      const [start] = instanceOf(graph, repeat, opening.shown.get(repeat) || 0);
      for (let row = first[repeat]; row < stop[repeat]; row++) {
        repeatOf[row] = repeat;
        number[row] = Math.floor((row - first[repeat]) / period);
        like[row] = start + ((row - first[repeat]) % period);
      }
    }
    for (let at = 0; at < arrows.size; at++) {
      const one = twin[arrows.source[at]],
        other = twin[arrows.target[at]];
      if (repeatOf[one] < 0 || repeatOf[one] !== repeatOf[other]) continue;
      if (number[one] !== number[other]) carried[at] = 1;
    }
    for (let row = 0; row < rows.size; row++) {
      if (repeatOf[twin[row]] >= 0) twin[row] = like[twin[row]];
    }
  }
  return { twin, carried };
}

/** The open repeats, all around them open, of which one instance is on show. */
function repeatsSeen({ folds }, opening, lidOf) {
  const seen = [];
  for (let fold = 0; fold < folds.size; fold++) {
    if (folds.kind[fold] !== REPEAT || !opening.open[fold] || lidOf(fold) >= 0) continue;
    if (opening.shown.get(fold) !== ALL) seen.push(fold);
  }
  return seen;
}

/** Folds by how many of the same list lie around them, outer ones first. */
function levelsOf(folds, list) {
  const levels = [],
    around = [];
  for (const fold of list) {
    while (around.length && folds.stop[around[around.length - 1]] <= folds.first[fold])
      around.pop();
    (levels[around.length] ||= []).push(fold);
    around.push(fold);
  }
  return levels;
}

/** Arrows between items: several that agree in both ends, and in being carried, are one. */
function joinedArrows(arrows, item, fold, carried, size) {
  const leads = [];
  for (let at = 0; at < arrows.size; at++) {
    const one = item[arrows.source[at]],
      other = item[arrows.target[at]];
    if (one !== other || (carried[at] && fold[one] < 0)) leads.push(at);
  }
  const byTarget = sortedBy(leads, 2 * size, (at) => 2 * item[arrows.target[at]] + carried[at]);
  const order = sortedBy(byTarget, size, (at) => item[arrows.source[at]]);
  const ends = { source: [], target: [], arrow: [], count: [], carried: [] };
  for (const at of order) {
    const one = item[arrows.source[at]],
      other = item[arrows.target[at]],
      last = ends.source.length - 1;
    if (
      last >= 0 &&
      ends.source[last] === one &&
      ends.target[last] === other &&
      ends.carried[last] === carried[at]
    ) {
      ends.count[last]++;
    } else {
      ends.source.push(one);
      ends.target.push(other);
      ends.arrow.push(at);
      ends.count.push(1);
      ends.carried.push(carried[at]);
    }
  }
  return Object.fromEntries(
    Object.entries(ends).map(([name, list]) => [name, Int32Array.from(list)]),
  );
}

/** Sort by a small whole number, keeping the order of equals. */
function sortedBy(list, most, key) {
  const starts = new Int32Array(most + 1);
  for (const one of list) starts[key(one) + 1]++;
  for (let at = 0; at < most; at++) starts[at + 1] += starts[at];
  const sorted = new Int32Array(list.length);
  for (const one of list) sorted[starts[key(one)]++] = one;
  return sorted;
}

function framesOf(graph, inside) {
  const held = new Set();
  for (const innermost of inside) {
    for (const fold of foldsAround(graph, innermost)) {
      if (held.has(fold)) break;
      held.add(fold);
    }
  }
  return Int32Array.from(held).sort();
}

if (typeof module !== "undefined") module.exports = { unfold };
