/*
 * Input: what mouse, fingers and keys do.
 */
"use strict";

const CLICK_SLACK = 4,
  MOST_TIED = 5000;

const KEYS = [
  [
    "Arrow keys",
    "follow the edges: up to what an operation uses, down to the loss; in the outline, its lines",
  ],
  ["Enter", "open or close what is selected"],
  ["Backspace", "close what is around the selection"],
  ["e", "open or close all that are alike"],
  ["x", "open everything, all instances of loops too"],
  ["a", "back to the first view"],
  ["[  ]", "previous, next instance of a repeat"],
  ["p", "shortest path to the root"],
  ["/", "search; Enter shows the next match; #12 is node 12"],
  ["f", "fit the picture to the window"],
  ["+  -", "zoom"],
  ["Shift + arrows", "move the picture"],
  ["c", "next colouring: kind, saved bytes, time, gradient"],
  ["d", "dark or light"],
  ["Escape", "select nothing"],
];

class Pointer {
  constructor(canvas, app) {
    Object.assign(this, { canvas, app, down: new Map() });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", (event) => this.down.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => this.hover(-1));
    canvas.addEventListener("dblclick", (event) => this.open(event));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** Where a pointer is in the picture. */
  spot({ offsetX, offsetY }) {
    const { view } = this.app;
    return [view.x + offsetX / view.scale, view.y + offsetY / view.scale];
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.begin = { x: event.offsetX, y: event.offsetY };
  }

  move(event) {
    const last = this.down.get(event.pointerId);
    if (!last) {
      this.point(event);
      return;
    }
    if (this.down.size === 2) this.pinch(event, last);
    else this.app.view.pan(event.offsetX - last.x, event.offsetY - last.y);
    this.down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.canvas.classList.add("dragging");
  }

  pinch(event, last) {
    const [other] = [...this.down].filter(([id]) => id !== event.pointerId).map(([, spot]) => spot);
    const before = Math.hypot(last.x - other.x, last.y - other.y);
    const after = Math.hypot(event.offsetX - other.x, event.offsetY - other.y);
    if (before > 0)
      this.app.view.zoom(
        after / before,
        (event.offsetX + other.x) / 2,
        (event.offsetY + other.y) / 2,
      );
  }

  release(event) {
    this.down.delete(event.pointerId);
    this.canvas.classList.remove("dragging");
    const [x, y] = this.spot(event),
      { app } = this;
    const moved = Math.hypot(event.offsetX - this.begin.x, event.offsetY - this.begin.y);
    if (moved > CLICK_SLACK || !app.picture) return;
    if (this.turnPage(x, y)) return;
    const box = app.picture.boxAt(x, y);
    const frame = box < 0 ? app.picture.frameAt(x, y) : -1;
    if (box >= 0) app.select(app.thingAt(box));
    else if (frame >= 0) app.select({ fold: this.foldOf(frame) });
    else app.select(null);
  }

  foldOf(frame) {
    return this.app.picture.frames[frame].joined[0];
  }

  turnPage(x, y) {
    const { app } = this,
      frame = app.picture.frames[app.picture.frameAt(x, y)];
    if (!frame || frame.repeat < 0) return false;
    const place = pagerPlace(frame, app.boxes);
    if (x < place.x || x > place.x + place.width || y < place.y || y > place.y + place.height)
      return false;
    app.turnBy(frame.repeat, x < place.x + place.width / 2 ? -1 : 1);
    return true;
  }

  open(event) {
    const [x, y] = this.spot(event),
      { app } = this;
    if (!app.picture) return;
    const box = app.picture.boxAt(x, y);
    if (box >= 0 && app.picture.scene.fold[box] >= 0) app.toggle(app.picture.scene.fold[box]);
    const frame = box < 0 ? app.picture.frameAt(x, y) : -1;
    if (frame >= 0) app.toggle(this.foldOf(frame));
  }

  wheel(event) {
    event.preventDefault();
    const step = event.deltaMode === 1 ? 16 : 1;
    if (event.shiftKey) this.app.view.pan(-event.deltaY * step, -event.deltaX * step);
    else this.app.view.zoom(Math.exp(-event.deltaY * step * 0.0015), event.offsetX, event.offsetY);
  }

  point(event) {
    const { picture } = this.app;
    if (!picture) return;
    const [x, y] = this.spot(event);
    const box = picture.boxAt(x, y);
    this.hover(box);
    this.canvas.classList.toggle("pointing", box >= 0);
    const { tip } = this.app.page;
    tip.hidden = box < 0;
    if (box < 0) return;
    tip.textContent = this.told(box);
    tip.style.left = `${Math.min(event.offsetX + 14, this.canvas.clientWidth - tip.offsetWidth - 4)}px`;
    tip.style.top = `${Math.min(event.offsetY + 14, this.canvas.clientHeight - tip.offsetHeight - 4)}px`;
  }

  told(box) {
    const { app } = this,
      { scene } = app.picture;
    const row = scene.row[box],
      fold = scene.fold[box];
    const { rows } = app.graph;
    const lines =
      row >= 0
        ? [
            rowHeading(app.graph, row),
            app.graph.text(rows.shape[row]),
            app.graph.text(rows.place[row]),
          ]
        : [foldHeading(app.graph, fold), countText(app.graph.folds.nodes[fold], "node")];
    for (const name of ["saved", "time", "gradient"]) {
      const column = COLUMN_OF[name];
      const text = heatText(name, row >= 0 ? rows[column][row] : app.graph.folds[column][fold]);
      if (text && text !== "0 B") lines.push(`${name} ${text.replace("\u2207 ", "")}`);
    }
    return lines.filter(Boolean).join("\n");
  }

  /** Light up what a box shares a leaf with. */
  hover(box) {
    const { app } = this;
    if (!app.picture || app.marks.hovered === box) return;
    app.marks.hovered = box;
    if (app.selection?.leaf === undefined) app.marks.tied = box < 0 ? new Set() : this.tiedTo(box);
    if (box < 0) app.page.tip.hidden = true;
    app.draw();
  }

  tiedTo(box) {
    const { app } = this,
      { scene } = app.picture,
      { folds, uses } = app.graph;
    const row = scene.row[box],
      fold = scene.fold[box];
    const [first, stop] = row >= 0 ? [row, row + 1] : [folds.first[fold], folds.stop[fold]];
    if (uses.start[stop] - uses.start[first] > MOST_TIED) return new Set();
    const users = leavesBetween(app.graph, first, stop)
      .filter((leaf) => app.boxes.several[leaf] > 1 && app.boxes.several[leaf] <= MOST_TIED)
      .flatMap((leaf) => app.paths.usersOf(leaf));
    const tied = itemsOf(app.picture, users);
    return tied.size > 1 ? tied : new Set();
  }
}

/** What keys do wherever the focus is, but not while a text is typed. */
function onKey(event, app) {
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    event.target.closest("input, select, dialog")
  )
    return;
  const { page, selection, graph } = app;
  const inGraph = event.target === page.graph || event.target === document.body;
  const fold = selection?.fold;
  const actions = {
    "/": () => page.search.focus(),
    f: () => app.fit(),
    p: () => app.showPath(),
    a: () => app.auto(),
    x: () => app.toggleEverything(),
    e: () => (fold === undefined ? app.say("select a fold first") : app.toggleAlike(fold)),
    Backspace: () => app.closeAround(),
    c: () => app.setHeat(nextHeat(app)),
    d: () => app.switchTheme(),
    "?": () => page.keys.showModal(),
    "+": () => app.view.zoom(1.25),
    "=": () => app.view.zoom(1.25),
    "-": () => app.view.zoom(0.8),
    "[": () => turn(app, -1),
    "]": () => turn(app, 1),
    Escape: () => app.select(null),
  };
  if (inGraph) {
    actions.Enter = () =>
      fold === undefined ? app.say("this is one operation") : app.toggle(fold);
    for (const [name, dx, dy] of [
      ["ArrowUp", 0, 1],
      ["ArrowDown", 0, -1],
      ["ArrowLeft", 1, 0],
      ["ArrowRight", -1, 0],
    ]) {
      actions[name] = () => (event.shiftKey ? app.view.pan(80 * dx, 80 * dy) : app.step(name));
    }
  }
  const action = actions[event.key];
  if (!action || !graph) return;
  event.preventDefault();
  action();
}

/** Turn the page of the repeat that the selection is, or is in. */
function turn(app, by) {
  const { selection, graph, opening } = app;
  const inside =
    selection?.fold ?? (selection?.row === undefined ? -1 : graph.rows.fold[selection.row]);
  for (const fold of foldsAround(graph, inside)) {
    if (graph.folds.kind[fold] === REPEAT && opening.open[fold]) {
      app.turnBy(fold, by);
      return;
    }
  }
  const only = (app.picture?.frames || []).filter(({ repeat }) => repeat >= 0);
  if (only.length === 1) app.turnBy(only[0].repeat, by);
  else app.say("select a repeat first");
}

function nextHeat(app) {
  const known = HEATS.filter((name) => Heat.known(app.graph, name));
  return known[(known.indexOf(app.heat.name) + 1) % known.length];
}
