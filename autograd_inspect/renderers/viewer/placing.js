/*
 * Placing: a scene laid out, as flat arrays that are quick to draw and to search.
 *
 * A repeat of which one instance is a single fold shares that fold's frame. Large scenes are laid
 * out in a worker, which a newer request ends.
 */
"use strict";

const FRAME_LABEL = 11,
  PAGER_SIDES = 36;
const MOST_AT_ONCE = 1500;
const ASPECTS = [0.75, 1.25, 2];
/** Of the boxes, the share that makes a module the whole model, which needs no frame. */
const NEARLY_ALL = 0.6;

/** What `layOut` needs of a scene. */
function diagramOf(graph, scene, boxes) {
  const { folds } = graph;
  const frames = joinedFrames(graph, scene);
  const width = [],
    height = [];
  for (let item = 0; item < scene.size; item++) {
    const [wide, tall] = boxes.size(scene.row[item], scene.fold[item]);
    width.push(wide);
    height.push(tall);
  }
  const numberOf = (fold) => frames.number.get(fold);
  return {
    frames: frames.folds,
    diagram: {
      width,
      height,
      upper: Array.from(scene.target),
      lower: Array.from(scene.source),
      carried: Array.from(scene.carried, Boolean),
      group: Array.from(scene.inside, numberOf),
      parent: frames.folds.map(([outer]) => numberOf(folds.parent[outer])),
      head: frames.folds.map((joined) => [
        boxes.widthOf(frameLabel(graph, joined), FRAME_LABEL) +
          pagerWidth(graph, joined, boxes) +
          10,
        FRAME_LABEL * LEADING,
      ]),
    },
  };
}

/**
 * Put the open folds into frames: most have their own, some that of the fold around them. Chains
 * have none, nor has the whole model.
 */
function joinedFrames(graph, scene) {
  const { folds } = graph;
  const number = new Map([[-1, -1]]),
    joined = [],
    whole = wholeModels(graph, scene);
  for (const fold of scene.frames) {
    const outer = folds.parent[fold];
    if (whole.has(fold) || folds.kind[fold] === CHAIN) {
      number.set(fold, number.get(outer));
    } else if (
      outer >= 0 &&
      isWholeInstance(folds, outer, fold) &&
      scene.shown.get(outer) !== ALL
    ) {
      number.set(fold, number.get(outer));
      joined[number.get(outer)].push(fold);
    } else {
      number.set(fold, joined.length);
      joined.push([fold]);
    }
  }
  return { number, folds: joined };
}

/** The modules, from the outermost in, that hold nearly all there is to be seen. */
function wholeModels(graph, scene) {
  const { folds } = graph,
    found = new Set();
  const held = new Map();
  for (const inside of scene.inside) held.set(inside, (held.get(inside) || 0) + 1);
  for (const frame of [...scene.frames].reverse()) {
    const outer = folds.parent[frame];
    held.set(outer, (held.get(outer) || 0) + (held.get(frame) || 0));
  }
  for (let outer = -1; ;) {
    const inner = scene.frames.filter((frame) => folds.parent[frame] === outer);
    if (inner.length !== 1 || folds.kind[inner[0]] !== MODULE) return found;
    [outer] = inner;
    if (held.get(outer) < NEARLY_ALL * scene.size) return found;
    found.add(outer);
  }
}

/** Whether an instance of a repeat is but this one fold. */
function isWholeInstance(folds, repeat, fold) {
  return (
    folds.kind[repeat] === REPEAT && folds.rows[fold] * folds.times[repeat] === folds.rows[repeat]
  );
}

function frameLabel(graph, joined) {
  return shortened(foldHeading(graph, joined[joined.length - 1]), LONGEST_LINE);
}

/** The repeat whose instances a frame can page through, -1 for none. */
function pagerOf(graph, joined) {
  return graph.folds.kind[joined[0]] === REPEAT ? joined[0] : -1;
}

/** How wide the pager of a frame is with the longest number in it, 0 where there is none. */
function pagerWidth(graph, joined, boxes) {
  if (pagerOf(graph, joined) < 0) return 0;
  const times = graph.folds.times[joined[0]];
  return boxes.widthOf(`${times}/${times}`, FRAME_LABEL) + PAGER_SIDES;
}

/** A picture: a scene with a place for everything, and a grid to find things by. */
class Picture {
  constructor({ graph, scene, frames, diagram, boxes }, layout) {
    this.scene = scene;
    this.frames = frames.map((joined, at) => ({
      ...layout.frames[at],
      joined,
      label: frameLabel(graph, joined),
      repeat: pagerOf(graph, joined),
      pager: pagerWidth(graph, joined, boxes),
      labelX: layout.frames[at].label,
      depth: 0,
      parent: diagram.parent[at],
    }));
    for (const frame of this.frames) {
      if (frame.parent >= 0) frame.depth = this.frames[frame.parent].depth + 1;
      if (frame.repeat >= 0) frame.shown = scene.shown.get(frame.repeat) || 0;
    }
    this.width = layout.width;
    this.height = layout.height;
    this.x = Float32Array.from(layout.x);
    this.y = Float32Array.from(layout.y);
    this.w = Float32Array.from(diagram.width);
    this.h = Float32Array.from(diagram.height);
    this.flattenRoutes(layout.routes);
    this.boxGrid = new Grid(this, this.x.length, (at) => this.boxBounds(at));
    this.arrowGrid = new Grid(this, layout.routes.length, (at) => this.routeBounds(at));
    this.frameGrid = new Grid(this, this.frames.length, (at) => {
      const { x, y, width, height } = this.frames[at];
      return [x, y, x + width, y + height];
    });
  }

  flattenRoutes(routes) {
    this.routeStart = new Int32Array(routes.length + 1);
    routes.forEach((route, at) => {
      this.routeStart[at + 1] = this.routeStart[at] + route.length;
    });
    this.points = new Float32Array(this.routeStart[routes.length]);
    routes.forEach((route, at) => this.points.set(route, this.routeStart[at]));
  }

  boxBounds(box) {
    const { x, y, w, h } = this;
    return [x[box] - w[box] / 2, y[box] - h[box] / 2, x[box] + w[box] / 2, y[box] + h[box] / 2];
  }

  routeBounds(arrow) {
    let left = Infinity,
      top = Infinity,
      right = -Infinity,
      bottom = -Infinity;
    for (let at = this.routeStart[arrow]; at < this.routeStart[arrow + 1]; at += 2) {
      left = Math.min(left, this.points[at]);
      right = Math.max(right, this.points[at]);
      top = Math.min(top, this.points[at + 1]);
      bottom = Math.max(bottom, this.points[at + 1]);
    }
    return [left, top, right, bottom];
  }

  /** The box below a point, -1 for none. */
  boxAt(x, y) {
    for (const box of this.boxGrid.within(x, y, x, y)) {
      const [left, top, right, bottom] = this.boxBounds(box);
      if (left <= x && x <= right && top <= y && y <= bottom) return box;
    }
    return -1;
  }

  get lastBox() {
    return this.scene.size - 1;
  }

  /** The box that an arrow key leads to from one: along an edge, or beside it; -1 for none. */
  neighbour(from, key, reverse) {
    if (key === "ArrowLeft" || key === "ArrowRight") return this.beside(from, key === "ArrowRight");
    return this.alongEdge(from, (key === "ArrowDown") !== reverse);
  }

  alongEdge(from, toUser) {
    const { scene, x } = this;
    const [here, there] = toUser ? [scene.target, scene.source] : [scene.source, scene.target];
    let best = -1;
    here.forEach((one, arrow) => {
      if (one !== from || scene.carried[arrow]) return;
      const other = there[arrow];
      if (best < 0 || Math.abs(x[other] - x[from]) < Math.abs(x[best] - x[from])) best = other;
    });
    return best;
  }

  beside(from, right) {
    const { x, y, h } = this;
    let best = -1;
    for (let box = 0; box < x.length; box++) {
      const away = right ? x[box] - x[from] : x[from] - x[box];
      if (away <= 0 || Math.abs(y[box] - y[from]) > Math.max(h[box], h[from])) continue;
      if (best < 0 || away < Math.abs(x[best] - x[from])) best = box;
    }
    return best;
  }

  /** The innermost frame below a point, -1 for none. */
  frameAt(x, y) {
    return Math.max(-1, ...this.frameGrid.within(x, y, x, y));
  }

  /** The frames that meet an area, outer ones first. */
  framesWithin(area) {
    return this.frameGrid
      .within(...area)
      .sort((a, b) => a - b)
      .map((at) => this.frames[at]);
  }
}

/** Lays scenes out, large ones in a worker; the newest request wins. */
class Placer {
  constructor(graph, boxes, layoutSource) {
    this.graph = graph;
    this.boxes = boxes;
    this.source = layoutSource;
    this.options = { aspect: ASPECTS[1], reverse: graph.facts.reverse };
    this.worker = null;
  }

  /** Calls `done(picture)`, at once for small scenes; gives whether it did. */
  place(scene, done) {
    if (this.worker) this.worker.terminate();
    this.worker = null;
    const { frames, diagram } = diagramOf(this.graph, scene, this.boxes);
    const { graph, boxes } = this;
    const finish = (layout) => done(new Picture({ graph, scene, frames, diagram, boxes }, layout));
    if (scene.size <= MOST_AT_ONCE || !this.start()) {
      finish(layOut(diagram, this.options));
      return true;
    }
    this.worker.onmessage = ({ data }) => {
      this.worker.terminate();
      this.worker = null;
      finish(data);
    };
    this.worker.postMessage([diagram, this.options]);
    return false;
  }

  /** Lay out for a window of this shape, more or less: links lead to the same place in similar ones. */
  suit(width, height) {
    const away = (aspect) => Math.abs(Math.log((aspect * height) / width));
    [this.options.aspect] = [...ASPECTS].sort((a, b) => away(a) - away(b));
  }

  start() {
    const program = `${this.source}\nonmessage = ({ data }) => postMessage(layOut(...data));`;
    try {
      const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
      this.worker = new Worker(url);
      URL.revokeObjectURL(url);
    } catch {
      return false; // some browsers start no workers in local files
    }
    return true;
  }
}
