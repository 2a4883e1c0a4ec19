/*
 * App: what is shown, and all that can be done with it; the rest of the page calls its methods.
 *
 * A thing is {row}, {fold} or {leaf}, by its number.
 */
"use strict";

const REST = 300; // milliseconds after which a view is written down

class App {
  /** `page` has the elements of the page by their ids. */
  constructor(graph, page) {
    Object.assign(this, { graph, page, marks: { ...NO_MARKS } });
    this.boxes = new Boxes(graph, measurer(graph.facts.fonts));
    this.paths = new Paths(graph);
    this.painter = new Painter(graph, this.boxes);
    this.placer = new Placer(graph, this.boxes, page["layout-source"].textContent);
    this.view = new Camera(() => this.moved());
    this.minimap = new Minimap(page.minimap, (x, y) => this.view.centerAt({ x, y }));
    this.outline = new Outline(page.outline, graph, this);
    this.details = new Details(page.details, graph, this.paths, this);
    this.first = Opening.first(graph);
    this.found = graph.facts.findings.map(([row]) => row).filter((row) => row >= 0);
    this.context = page.graph.getContext("2d");
    new ResizeObserver(() => this.resized()).observe(page.stage);
    window.addEventListener("popstate", () => this.restore());
    window.addEventListener("hashchange", () => this.restore());
  }

  /** Show what the page's address says, or else the first view. */
  restore() {
    if (this.written === location.hash) return;
    const state = stateOf(location.hash, this.graph, this.first);
    Object.assign(this, { opening: state.opening, selection: state.selection });
    this.onPath = state.path;
    this.colorBy(state.heat);
    this.layOut(() => {
      this.view.fit(this.picture);
      if (state.view) this.view.centerAt(state.view);
      this.mark();
      this.bringIntoView();
    });
    this.written = location.hash;
  }

  /** Write the state to the address: as a new entry of the history, or in place of this one. */
  remember(anew = true) {
    const { opening, selection, onPath, heat, view } = this;
    const state = { opening, selection, path: onPath, heat: heat.name, view: view.middle };
    const fragment = fragmentOf(state, this.first, this.graph.facts.heat);
    const hash = fragment ? `#${fragment}` : location.pathname;
    if (hash === location.hash) return;
    try {
      history[anew ? "pushState" : "replaceState"](null, "", hash);
    } catch {
      return; // a page without an address of its own
    }
    this.written = location.hash;
  }

  // ---- Layout -----------------------------------------------------------------------------------

  /** Lay out what is open now, then call `then`; `anchor` stays in its place. */
  layOut(then, anchor = null) {
    const { page, placer, view } = this,
      scene = unfold(this.graph, this.opening),
      before = anchor && this.picture ? this.placeOf(anchor) : null,
      began = performance.now();
    page.tip.hidden = true;
    placer.suit(view.width, view.height);
    this.outline.set(this.opening);
    const atOnce = placer.place(scene, (picture) => {
      this.picture = picture;
      this.heat.fit(scene);
      page.busy.hidden = true;
      const after = before && this.placeOf(anchor);
      if (after) view.pan((before.x - after.x) * view.scale, (before.y - after.y) * view.scale);
      if (then) then();
      this.shown(performance.now() - began);
    });
    if (atOnce) return;
    page.busy.textContent = `Laying out ${countText(scene.size, "box", "boxes")}\u2026`;
    page.busy.hidden = false;
    this.details.show(this.selection, this.opening, this.heat);
  }

  /** Draw a new picture, and say how large it is and how long that took. */
  shown(spent) {
    const { page, picture, graph } = this,
      count = picture.scene.size;
    page.size.textContent = [
      countText(count, "box", "boxes"),
      countText(graph.facts.size[0], "node"),
      `layout ${Math.round(spent)} ms`,
    ].join(DOT);
    this.mark();
    this.refresh();
    this.draw(true);
    page.graph.dataset.drawn = String(count);
    performance.mark("drawn");
  }

  /**
   * Where a thing is in the picture: a box or frame, and its upper middle; null for a leaf. What is
   * open without a frame is all of the picture; or a chain, which is where it begins.
   */
  placeOf(thing) {
    const { picture, graph } = this,
      { open, item } = picture.scene;
    if (thing.leaf !== undefined) return null;
    const { fold } = thing;
    if (fold !== undefined && [...foldsAround(graph, fold)].every((one) => open[one])) {
      const frame = picture.frames.findIndex(({ joined }) => joined.includes(fold));
      if (frame >= 0 || graph.folds.kind[fold] !== CHAIN) {
        const { x, y, width } = picture.frames[frame] || { x: 0, y: 0, width: picture.width };
        return { box: -1, frame, x: x + width / 2, y };
      }
    }
    const box = item[thing.row ?? graph.folds.first[fold]];
    return { box, frame: -1, x: picture.x[box], y: picture.y[box] - picture.h[box] / 2 };
  }

  /** Show what has changed in the opening, with `anchor` in its place. */
  changed(anchor) {
    this.layOut(null, anchor);
    this.remember();
  }

  // ---- Folding ----------------------------------------------------------------------------------

  toggle(fold) {
    const { opening } = this;
    if (opening.open[fold]) opening.open[fold] = 0;
    else opening.openThrough(fold);
    this.selection = { fold };
    this.say(`${foldHeading(this.graph, fold)}: ${opening.open[fold] ? "open" : "closed"}`);
    this.changed({ fold });
  }

  /** Open or close all that is to be seen of a fold's kind. */
  toggleAlike(fold) {
    const { opening, picture } = this,
      { like } = this.graph.folds;
    if (!picture) return;
    const open = opening.open[fold],
      { frames, fold: closed } = picture.scene;
    const alike = [...new Set(open ? frames : closed)].filter(
      (one) => one >= 0 && like[one] === like[fold],
    );
    for (const one of alike) {
      if (open) opening.open[one] = 0;
      else opening.openThrough(one);
    }
    this.say(`${open ? "closed" : "opened"} ${countText(alike.length, "fold")} alike`);
    this.changed({ fold });
  }

  /** Open everything; where it is, go back to the first view. */
  toggleEverything() {
    if (this.opening.isAllOpen()) {
      this.auto();
      return;
    }
    this.opening.openAll();
    this.layOut(() => this.view.fit(this.picture));
    this.remember();
  }

  /** Close the innermost open fold around the selection, or the selected one. */
  closeAround() {
    const { selection, graph, opening } = this;
    if (!selection || selection.leaf !== undefined) return;
    const innermost = selection.fold ?? graph.rows.fold[selection.row];
    for (const fold of foldsAround(graph, innermost)) {
      if (!opening.open[fold]) continue;
      this.toggle(fold);
      return;
    }
    this.say("nothing open is around it");
  }

  auto() {
    this.opening = this.first.copy();
    this.layOut(() => this.view.fit(this.picture));
    this.remember();
  }

  /** Show the next or previous instance of a repeat. */
  turnBy(repeat, by) {
    const times = this.graph.folds.times[repeat],
      from = this.opening.instance(repeat);
    this.show(repeat, from === ALL ? 0 : (from + by + times) % times);
  }

  /** Show one instance of a repeat, or ALL; what is open and selected in it stays so. */
  show(repeat, number) {
    const { graph, opening } = this,
      from = opening.instance(repeat);
    opening.open[repeat] = 1;
    const moved = opening.moveTo(repeat, number);
    this.selection = this.likeOf(this.selection, repeat, from, number, moved);
    const times = graph.folds.times[repeat].toLocaleString("en-US");
    this.say(number === ALL ? `all ${times} instances` : `instance ${number + 1} of ${times}`);
    this.changed({ fold: repeat });
  }

  /** The thing in one instance of a repeat that is like one in another; itself where it is not. */
  likeOf(thing, repeat, from, to, moved) {
    const { graph } = this,
      { first, stop } = graph.folds;
    if (moved.has(thing?.fold)) return { fold: moved.get(thing.fold) };
    const row = thing?.row;
    const inside = row !== undefined && first[repeat] <= row && row < stop[repeat];
    if (!inside || from === ALL || to === ALL || instanceAt(graph, repeat, row) !== from) {
      return thing;
    }
    return { row: row + instanceOf(graph, repeat, to)[0] - instanceOf(graph, repeat, from)[0] };
  }

  // ---- Selection --------------------------------------------------------------------------------

  select(thing) {
    Object.assign(this, { selection: thing, onPath: false });
    this.mark();
    this.refresh();
    this.bringIntoView();
    if (thing) this.say(this.described(thing));
    this.remember(false);
  }

  /** Select a thing, and open what hides it. */
  reveal(thing) {
    Object.assign(this, { selection: thing, onPath: false });
    if (thing.leaf === undefined && this.opening.reveal(thing)) {
      this.layOut(() => {
        this.mark();
        this.bringIntoView();
      });
    } else {
      this.mark();
      this.refresh();
      this.bringIntoView();
    }
    this.remember();
  }

  described(thing) {
    const { graph } = this,
      { rows, folds } = graph;
    const parts = [nameOf(graph, thing)];
    if (thing.row !== undefined) {
      parts.push(graph.text(rows.shape[thing.row]), graph.text(rows.place[thing.row]));
    }
    if (thing.fold !== undefined) parts.push(countText(folds.nodes[thing.fold], "node"));
    return parts.filter(Boolean).join(", ");
  }

  /** Find out what stands out, here and in the outline. */
  mark() {
    this.outline.mark(this.selection);
    this.page.path.setAttribute("aria-pressed", String(Boolean(this.onPath)));
    const { hovered } = this.marks;
    this.marks = { ...(this.picture ? marksOf(this) : NO_MARKS), hovered };
  }

  showPath() {
    if (!this.selection) {
      this.say("select something first");
      return;
    }
    this.onPath = !this.onPath;
    this.mark();
    this.refresh();
    if (this.onPath) {
      const length = countText(this.marks.length, "operation");
      this.say(this.marks.length ? `shortest path to the root: ${length}` : "no path to the root");
    }
    this.remember();
  }

  /** Go along an edge, up or down the page, or sideways on the same level. */
  step(key) {
    const { picture, selection } = this;
    if (!picture) return;
    const from = selection && selection.leaf === undefined ? this.placeOf(selection).box : -1;
    let to = selection ? picture.scene.item[this.paths.rowsOf(selection)[0]] : picture.lastBox;
    if (from >= 0) to = picture.neighbour(from, key, this.graph.facts.reverse);
    if (to >= 0) this.select(this.thingAt(to));
    else this.say(`nothing ${{ ArrowUp: "above", ArrowDown: "below" }[key] || "beside it"}`);
  }

  thingAt(box) {
    const { row, fold } = this.picture.scene;
    return row[box] >= 0 ? { row: row[box] } : { fold: fold[box] };
  }

  bringIntoView() {
    const { picture, marks, selection } = this;
    if (!picture || !selection) return;
    const box = selection.leaf === undefined ? marks.selected : ([...marks.tied][0] ?? -1);
    const frame = picture.frames[marks.frame];
    if (frame) this.view.show([frame.x, frame.y, frame.x + frame.width, frame.y + 30]);
    else if (box >= 0) this.view.show(picture.boxBounds(box));
  }

  // ---- Colours ----------------------------------------------------------------------------------

  colorBy(name) {
    this.heat = new Heat(this.graph, name);
    if (this.picture) this.heat.fit(this.picture.scene);
    this.page.heat.value = name;
    this.setTheme(this.theme);
  }

  /** Colour by something else. */
  setHeat(name) {
    this.colorBy(name);
    this.refresh();
    this.remember();
  }

  setTheme(theme) {
    this.theme = theme;
    document.documentElement.dataset.theme = theme;
    this.page.theme.textContent = theme === "dark" ? "Light" : "Dark";
    this.look = new Look(this.graph, this.boxes, this.graph.facts.palettes[theme], this.heat);
  }

  switchTheme() {
    this.setTheme(this.theme === "dark" ? "light" : "dark");
    this.refresh();
  }

  // ---- Drawing ----------------------------------------------------------------------------------

  resized() {
    const { page, view } = this,
      { clientWidth, clientHeight } = page.stage;
    if (!clientWidth) return; // on paper there is no stage
    const ratio = window.devicePixelRatio || 1;
    page.graph.width = Math.max(1, Math.round(clientWidth * ratio));
    page.graph.height = Math.max(1, Math.round(clientHeight * ratio));
    Object.assign(view, { width: clientWidth, height: clientHeight });
    this.draw(true);
  }

  fit() {
    if (this.picture) this.view.fit(this.picture);
  }

  /** Draw map, legend and details anew: for a new picture, selection or heat. */
  refresh() {
    this.details.show(this.selection, this.opening, this.heat);
    if (!this.picture) return;
    this.minimap.draw(this.picture, this.look, this.marks);
    drawLegend(this.page.legend, this.look);
    this.draw();
  }

  moved() {
    this.draw();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.remember(false), REST);
  }

  /** Draw at the next frame, several requests once; or at once. */
  draw(now = false) {
    if (!this.picture) return;
    if (now) this.paint();
    else if (!this.asked) this.asked = requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.asked);
    this.asked = 0;
    const ratio = window.devicePixelRatio || 1;
    const { context, picture, view, look, marks } = this;
    this.painter.paint(context, ratio, picture, view, look, marks);
    this.minimap.outline(view, picture);
  }

  /** Draw what is in view for paper: fine, and light. */
  print() {
    if (!this.picture) return;
    const { page, view, graph, boxes, picture, heat, marks } = this;
    const ratio = Math.min(4, 4000 / view.width);
    page.print.width = Math.round(view.width * ratio);
    page.print.height = Math.round(view.height * ratio);
    const look = new Look(graph, boxes, graph.facts.palettes.light, heat);
    this.painter.paint(page.print.getContext("2d"), ratio, picture, view, look, marks);
  }

  focusGraph() {
    this.page.graph.focus();
  }

  say(text) {
    this.page.status.textContent = text;
  }
}

/** Gives who measures lines of text, each once. */
function measurer(fonts) {
  const context = document.createElement("canvas").getContext("2d");
  const known = new Map();
  context.font = `bold 10px ${fonts}`;
  return (text, size) => {
    if (!known.has(text)) known.set(text, context.measureText(text).width / 10);
    return known.get(text) * size;
  };
}
