/*
 * Marks: what stands out in a picture: the selection, the path to the root, what shares a leaf,
 * what was found to be wrong.
 */
"use strict";

const NO_MARKS = {
  selected: -1, // box
  frame: -1,
  hovered: -1, // box
  path: [], // boxes
  arrows: new Set(),
  length: 0, // operations on the path
  tied: new Set(), // boxes
  found: new Set(), // boxes
};

/** The marks of what an app shows. */
function marksOf(app) {
  const { picture, selection, paths, found } = app;
  const marks = { ...NO_MARKS, found: itemsOf(picture, found) };
  if (!selection) return marks;
  if (selection.leaf === undefined) {
    const { box, frame } = app.placeOf(selection);
    Object.assign(marks, { selected: box, frame });
  } else {
    marks.tied = itemsOf(picture, paths.usersOf(selection.leaf));
  }
  return app.onPath ? { ...marks, ...pathMarks(app) } : marks;
}

/** The items of a picture that some rows are in. */
function itemsOf({ scene }, rows) {
  return new Set(rows.map((row) => scene.item[row]));
}

/** The boxes and arrows on the shortest path from the selection to a root. */
function pathMarks(app) {
  const { graph, paths, selection } = app,
    { scene } = app.picture;
  const way = paths.toRoot(rowsShown(app, selection));
  if (!way) return {};
  const pair = (one, other) => one * scene.size + other;
  const { source, target } = graph.arrows;
  const pairs = new Set(way.map((at) => pair(scene.item[source[at]], scene.item[target[at]])));
  const boxes = new Set(),
    arrows = new Set();
  scene.source.forEach((one, arrow) => {
    const other = scene.target[arrow];
    if (!pairs.has(pair(one, other))) return;
    arrows.add(arrow);
    boxes.add(one).add(other);
  });
  return { arrows, path: [...boxes], length: way.length + 1 };
}

/** The rows of a thing, those on show of an open repeat. */
function rowsShown({ graph, opening, paths }, thing) {
  const { fold } = thing;
  const one = fold !== undefined && opening.open[fold] && graph.folds.kind[fold] === REPEAT;
  if (!one || opening.instance(fold) === ALL) return paths.rowsOf(thing);
  const [first, stop] = instanceOf(graph, fold, opening.instance(fold));
  return Array.from({ length: stop - first }, (_, at) => first + at);
}
