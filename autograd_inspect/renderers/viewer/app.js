/*
 * App: what is shown, and all that can be done with it; the rest of the page calls its methods.
 */
'use strict';

const LEAST_SCALE = 0.00001, MOST_SCALE = 6, FIT_SCALE = 1.3, MARGIN = 24;
const NO_MARKS = {
  selected: -1, frame: -1, hovered: -1, path: [], arrows: new Set(), tied: new Set(), found: new Set(),
};

class App {
  /** `page` has the elements of the page by their ids. */
  constructor(graph, page) {
    this.graph = graph;
    this.page = page;
    this.boxes = new Boxes(graph, measurer());
    this.paths = new Paths(graph);
    this.painter = new Painter(graph, this.boxes);
    this.placer = new Placer(graph, this.boxes, page['layout-source'].textContent);
    this.minimap = new Minimap(page.minimap, (x, y) => this.center(x, y));
    this.outline = new Outline(page.outline, graph, this);
    this.details = new Details(page.details, graph, this.paths, this);
    this.view = { x: 0, y: 0, scale: 1, width: 1, height: 1 };
    this.marks = { ...NO_MARKS };
    this.first = {
      open: new Uint8Array(graph.folds.size), shown: new Map(graph.facts.opening.shown), heat: graph.facts.heat,
    };
    for (const fold of graph.facts.opening.folds) this.first.open[fold] = 1;
    this.context = page.graph.getContext('2d');
    this.found = graph.facts.findings.map(([row]) => row).filter((row) => row >= 0);
    new ResizeObserver(() => this.resized()).observe(page.stage);
    window.addEventListener('popstate', () => this.restore());
    window.addEventListener('hashchange', () => this.restore());
  }

  /** Show what the page's address says, or else the first view. */
  restore() {
    if (this.written === location.hash) return;
    const state = stateOf(location.hash, this.graph, this.first);
    Object.assign(this, { opening: state.opening, selection: state.selection, onPath: state.path });
    this.setHeat(state.heat, false);
    this.layOut(() => {
      this.fit();
      if (state.view) this.centerAt(state.view);
      if (!this.selection) return;
      this.mark();
      this.keepInView(this.selection);
    });
    this.written = location.hash;
  }

  /** Write the state to the address: as a new entry of the history, or in place of this one. */
  remember(anew = true) {
    const { view } = this;
    const fragment = fragmentOf({
      opening: this.opening, selection: this.selection, heat: this.heat.name, path: this.onPath,
      view: { x: view.x + view.width / view.scale / 2, y: view.y + view.height / view.scale / 2, scale: view.scale },
    }, this.first);
    const hash = fragment ? `#${fragment}` : location.pathname;
    if (hash === location.hash) return;
    try {
      history[anew ? 'pushState' : 'replaceState'](null, '', hash);
    } catch {
      return; // a page without an address of its own
    }
    this.written = location.hash;
  }

  // Layout

  /** Lay out what is open now, and keep `anchor`, or what `then` says, in its place. */
  layOut(then, anchor = null) {
    const scene = unfold(this.graph, this.opening);
    const before = anchor && this.picture ? this.placeOf(anchor) : null;
    const began = performance.now();
    this.page.tip.hidden = true;
    this.placer.suit(this.view.width, this.view.height);
    this.outline.set(this.opening);
    const atOnce = this.placer.place(scene, (picture) => {
      this.picture = picture;
      this.heat.fit(scene);
      this.page.busy.hidden = true;
      const after = before && this.placeOf(anchor);
      if (after) {
        this.view.x += after.x - before.x;
        this.view.y += after.y - before.y;
      }
      if (then) then();
      this.page.size.textContent = [
        countText(scene.size, 'box', 'boxes'), countText(this.graph.facts.size[0], 'node'),
        `layout ${Math.round(performance.now() - began)} ms`,
      ].join(DOT);
      this.mark();
      this.refreshed();
      this.draw(true);
      this.page.graph.dataset.drawn = String(scene.size);
      performance.mark('drawn');
    });
    if (!atOnce) {
      this.page.busy.textContent = `Laying out ${countText(scene.size, 'box', 'boxes')}\u2026`;
      this.page.busy.hidden = false;
    }
  }

  /** Draw map, legend and details anew: for a new picture, selection or heat. */
  refreshed() {
    this.details.show(this.selection, this.opening, this.heat);
    if (!this.picture) return;
    this.minimap.draw(this.picture, this.look, this.marks);
    this.drawLegend();
    this.draw();
  }

  /**
   * Where a thing is in the picture: a box or frame, and its upper middle; null for a leaf. What is
   * open without a frame is all of the picture; or a chain, which is where it begins.
   */
  placeOf(thing) {
    const { picture, graph } = this, { open } = picture.scene;
    if (thing.leaf !== undefined) return null;
    if (thing.fold !== undefined && [...foldsAround(graph, thing.fold)].every((fold) => open[fold])) {
      const frame = picture.frames.findIndex(({ joined }) => joined.includes(thing.fold));
      if (frame >= 0 || graph.folds.kind[thing.fold] !== CHAIN) {
        const { x, y, width } = picture.frames[frame] || { x: 0, y: 0, width: picture.width };
        return { box: -1, frame, x: x + width / 2, y };
      }
    }
    const box = picture.scene.item[thing.row ?? graph.folds.first[thing.fold]];
    return { box, frame: -1, x: picture.x[box], y: picture.y[box] - picture.h[box] / 2 };
  }

  // Folding

  toggle(fold) {
    if (this.opening.open[fold]) this.opening.open[fold] = 0;
    else this.openThrough(fold);
    this.selection = { fold };
    this.say(`${foldHeading(this.graph, fold)}: ${this.opening.open[fold] ? 'open' : 'closed'}`);
    this.changed({ fold });
  }

  /** Open a fold, and what is in it where that is but one fold. */
  openThrough(fold) {
    const { opening } = this;
    for (let parts = [fold]; parts.length === 1 && parts[0] >= 0; parts = this.outline.partsOf(parts[0])) {
      if (this.graph.folds.rows[parts[0]] === 1 && parts[0] !== fold) break;
      opening.open[parts[0]] = 1;
    }
  }

  /** Open or close all that is to be seen of a fold's kind. */
  toggleAlike(fold) {
    const { graph, opening, picture } = this;
    const open = opening.open[fold];
    const seen = open ? picture?.scene.frames : picture?.scene.fold;
    let count = 0;
    for (const one of new Set(seen)) {
      if (one < 0 || graph.folds.like[one] !== graph.folds.like[fold]) continue;
      count++;
      if (open) opening.open[one] = 0;
      else this.openThrough(one);
    }
    this.say(`${open ? 'closed' : 'opened'} ${countText(count, 'box', 'boxes')} alike`);
    this.changed({ fold });
  }

  /** Open everything, every instance of a repeat too; or go back to the first view. */
  toggleEverything() {
    const { folds } = this.graph;
    if (this.isAllOpen()) return this.auto();
    for (let fold = 0; fold < folds.size; fold++) {
      this.opening.open[fold] = folds.rows[fold] > 1 ? 1 : 0;
      if (folds.kind[fold] === REPEAT) this.opening.shown.set(fold, ALL);
    }
    this.layOut(() => this.fit());
    return this.remember();
  }

  isAllOpen() {
    return this.opening.open.every((open, fold) => open || this.graph.folds.rows[fold] === 1)
      && this.graph.folds.kind.every((kind, fold) => kind !== REPEAT || this.opening.shown.get(fold) === ALL);
  }

  /** Close the innermost open fold around the selection, or the selected one. */
  closeAround() {
    const { selection, graph, opening } = this;
    if (!selection || selection.leaf !== undefined) return;
    for (const fold of foldsAround(graph, selection.fold ?? graph.rows.fold[selection.row])) {
      if (!opening.open[fold]) continue;
      this.toggle(fold);
      return;
    }
    this.say('nothing open is around it');
  }

  auto() {
    this.opening = { open: this.first.open.slice(), shown: new Map(this.first.shown) };
    this.layOut(() => this.fit());
    this.remember();
  }

  /** Show the next or previous instance of a repeat. */
  turnBy(repeat, by) {
    const times = this.graph.folds.times[repeat];
    const from = this.opening.shown.get(repeat) || 0;
    this.show(repeat, from === ALL ? 0 : (from + by + times) % times);
  }

  /** Show one instance of a repeat, or ALL; what is open and selected in it stays so. */
  show(repeat, number) {
    this.opening.open[repeat] = 1;
    this.moveTo(repeat, number);
    this.say(number === ALL ? 'every instance' : `instance ${number + 1} of ${this.graph.folds.times[repeat]}`);
    this.changed({ fold: repeat });
  }

  moveTo(repeat, number) {
    const { graph, opening } = this;
    const from = opening.shown.get(repeat) || 0;
    opening.shown.set(repeat, number);
    if (from === ALL || number === ALL || from === number) return;
    const pairs = [partsBetween(graph, repeat, ...instanceOf(graph, repeat, from)),
      partsBetween(graph, repeat, ...instanceOf(graph, repeat, number))];
    this.moveOpen(...pairs);
    const offset = instanceOf(graph, repeat, number)[0] - instanceOf(graph, repeat, from)[0];
    const { selection } = this;
    if (selection?.row !== undefined && graph.folds.first[repeat] <= selection.row
        && selection.row < graph.folds.stop[repeat] && instanceAt(graph, repeat, selection.row) === from) {
      this.selection = { row: selection.row + offset };
    }
  }

  /** Open what is open in some parts in others that are like them. */
  moveOpen(from, to) {
    const { graph, opening } = this;
    const stack = [[from, to]];
    while (stack.length) {
      const [ones, others] = stack.pop();
      if (ones.length !== others.length) continue;
      ones.forEach((one, at) => {
        const other = others[at];
        if (one < 0 || other < 0 || !opening.open[one]) return;
        opening.open[one] = 0;
        opening.open[other] = 1;
        if (this.selection?.fold === one) this.selection = { fold: other };
        if (opening.shown.has(one)) opening.shown.set(other, opening.shown.get(one));
        const inside = (fold) => partsBetween(graph, fold, graph.folds.first[fold], graph.folds.stop[fold]);
        stack.push([inside(one), inside(other)]);
      });
    }
  }

  changed(anchor) {
    this.layOut(null, anchor);
    this.remember();
  }

  // Selection

  select(thing) {
    this.selection = thing;
    this.onPath = false;
    this.mark();
    this.refreshed();
    if (thing) {
      this.keepInView(thing);
      this.say(this.described(thing));
    }
    this.remember(false);
  }

  /** Select a thing, and open what hides it, the instance that it is in too. */
  reveal(thing) {
    const { graph, opening } = this, { folds } = graph;
    this.selection = thing;
    this.onPath = false;
    if (thing.leaf === undefined) {
      const innermost = thing.row === undefined ? folds.parent[thing.fold] : graph.rows.fold[thing.row];
      const row = thing.row ?? folds.first[thing.fold];
      let hidden = false;
      for (const fold of [...foldsAround(graph, innermost)].reverse()) {
        if (!opening.open[fold]) hidden = opening.open[fold] = true;
        if (folds.kind[fold] !== REPEAT || opening.shown.get(fold) === ALL) continue;
        const number = instanceAt(graph, fold, row);
        if (number === (opening.shown.get(fold) || 0)) continue;
        this.moveTo(fold, number);
        this.selection = thing;
        hidden = true;
      }
      if (hidden) this.layOut(() => this.keepInView(thing));
    }
    this.mark();
    this.refreshed();
    this.keepInView(thing);
    this.remember();
  }

  described(thing) {
    const { graph } = this;
    const parts = [nameOf(graph, thing)];
    if (thing.row !== undefined) parts.push(graph.text(graph.rows.shape[thing.row]), graph.text(graph.rows.place[thing.row]));
    if (thing.fold !== undefined) parts.push(countText(graph.folds.nodes[thing.fold], 'node'));
    return parts.filter(Boolean).join(', ');
  }

  /** Find out what stands out: the selection, the path, what shares a leaf. */
  mark() {
    const { picture, selection } = this;
    this.marks = { ...NO_MARKS, hovered: this.marks.hovered };
    if (picture) this.marks.found = this.itemsOf(this.found);
    this.outline.mark(selection);
    this.page.path.setAttribute('aria-pressed', String(Boolean(this.onPath)));
    if (!picture || !selection) return;
    if (selection.leaf === undefined) {
      const { box, frame } = this.placeOf(selection);
      Object.assign(this.marks, { selected: box, frame });
    } else {
      this.marks.tied = this.itemsOf(this.paths.usersOf(selection.leaf));
    }
    if (this.onPath) this.markPath();
  }

  itemsOf(rows) {
    return new Set(rows.map((row) => this.picture.scene.item[row]));
  }

  markPath() {
    const way = this.paths.toRoot(this.paths.rowsOf(this.selection));
    if (!way) return;
    const { arrows } = this.graph, { scene } = this.picture;
    const pairs = new Set(way.map((at) => scene.item[arrows.source[at]] * scene.size + scene.item[arrows.target[at]]));
    const marked = new Set(), boxes = new Set();
    for (let arrow = 0; arrow < scene.source.length; arrow++) {
      if (!pairs.has(scene.source[arrow] * scene.size + scene.target[arrow])) continue;
      marked.add(arrow);
      boxes.add(scene.source[arrow]).add(scene.target[arrow]);
    }
    Object.assign(this.marks, { arrows: marked, path: [...boxes] });
    this.pathLength = way.length + 1;
  }

  showPath() {
    if (!this.selection) return this.say('select something first');
    this.onPath = !this.onPath;
    this.pathLength = 0;
    this.mark();
    this.refreshed();
    if (this.onPath) {
      this.say(this.pathLength ? `shortest path to the root: ${countText(this.pathLength, 'operation')}` : 'no path to the root');
    }
    return this.remember();
  }

  /** Go along an edge: up to what is used, down to a user, sideways on the same level. */
  step(direction) {
    const { picture, selection } = this;
    if (!picture) return;
    const from = selection && selection.leaf === undefined ? this.placeOf(selection).box : -1;
    const to = from < 0 ? this.firstBox() : direction === 'ArrowUp' || direction === 'ArrowDown'
      ? this.alongEdge(from, direction === 'ArrowDown') : this.beside(from, direction === 'ArrowRight');
    if (to >= 0) this.select(this.thingAt(to));
    else this.say(`nothing ${{ ArrowUp: 'above', ArrowDown: 'below' }[direction] || 'beside it'}`);
  }

  firstBox() {
    const { selection, picture } = this;
    if (!selection) return picture.scene.size - 1;
    return picture.scene.item[this.paths.rowsOf(selection)[0]];
  }

  alongEdge(from, down) {
    const { scene, x } = this.picture;
    const [here, there] = down ? [scene.target, scene.source] : [scene.source, scene.target];
    let best = -1;
    for (let arrow = 0; arrow < here.length; arrow++) {
      if (here[arrow] !== from || scene.carried[arrow]) continue;
      if (best < 0 || Math.abs(x[there[arrow]] - x[from]) < Math.abs(x[best] - x[from])) best = there[arrow];
    }
    return best;
  }

  beside(from, right) {
    const { x, y, h } = this.picture;
    let best = -1;
    for (let box = 0; box < x.length; box++) {
      const away = right ? x[box] - x[from] : x[from] - x[box];
      if (away <= 0 || Math.abs(y[box] - y[from]) > Math.max(h[box], h[from])) continue;
      if (best < 0 || away < Math.abs(x[best] - x[from])) best = box;
    }
    return best;
  }

  thingAt(box) {
    const { row, fold } = this.picture.scene;
    return row[box] >= 0 ? { row: row[box] } : { fold: fold[box] };
  }

  // Colours

  setHeat(name, redraw = true) {
    this.heat = new Heat(this.graph, name);
    if (this.picture) this.heat.fit(this.picture.scene);
    this.page.heat.value = name;
    this.setTheme(this.theme);
    if (!redraw) return;
    this.refreshed();
    this.remember();
  }

  setTheme(theme) {
    this.theme = theme;
    document.documentElement.dataset.theme = theme;
    this.page.theme.textContent = theme === 'dark' ? 'Light' : 'Dark';
    this.look = new Look(this.graph, this.boxes, this.graph.facts.palettes[theme], this.heat);
  }

  switchTheme() {
    this.setTheme(this.theme === 'dark' ? 'light' : 'dark');
    this.refreshed();
  }

  drawLegend() {
    const { legend } = this.page, { palette } = this.look;
    legend.replaceChildren();
    if (!this.heat.column) return;
    const [title, low, high] = this.heat.legend();
    const swatch = (color) => {
      const canvas = document.createElement('canvas');
      canvas.width = 14;
      canvas.height = 12;
      const context = canvas.getContext('2d');
      context.fillStyle = color;
      context.fillRect(0, 0, 14, 12);
      return canvas;
    };
    legend.append(`${title} `, low, ...palette.heat.map(swatch), high);
    if (this.heat.name === 'gradient') legend.append(' ', swatch(palette.zero), ' 0 ', swatch(palette.odd), ' NaN or infinite');
  }

  // View

  resized() {
    const { clientWidth, clientHeight } = this.page.stage;
    if (!clientWidth) return; // on paper there is no stage
    const canvas = this.page.graph, ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    const first = this.view.width === 1;
    Object.assign(this.view, { width: clientWidth, height: clientHeight });
    if (first && this.picture) this.fit();
    this.draw(true);
  }

  fit() {
    const { view, picture } = this;
    if (!picture) return;
    const scale = Math.min(
      (view.width - 2 * MARGIN) / picture.width, (view.height - 2 * MARGIN) / picture.height, FIT_SCALE,
    );
    view.scale = Math.max(scale, LEAST_SCALE);
    this.center(picture.width / 2, picture.height / 2);
  }

  center(x, y) {
    const { view } = this;
    view.x = x - view.width / view.scale / 2;
    view.y = y - view.height / view.scale / 2;
    this.moved();
  }

  centerAt({ x, y, scale }) {
    this.view.scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));
    this.center(x, y);
  }

  /** Zoom by a factor and keep a point of the canvas in its place. */
  zoom(factor, x = this.view.width / 2, y = this.view.height / 2) {
    const { view } = this;
    const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, view.scale * factor));
    view.x += x / view.scale - x / scale;
    view.y += y / view.scale - y / scale;
    view.scale = scale;
    this.moved();
  }

  pan(dx, dy) {
    this.view.x -= dx / this.view.scale;
    this.view.y -= dy / this.view.scale;
    this.moved();
  }

  moved() {
    this.draw();
    clearTimeout(this.settled);
    this.settled = setTimeout(() => this.remember(false), 300);
  }

  /** Bring a thing into view where it is not, large enough to be read. */
  keepInView(thing) {
    const { view, picture, marks } = this;
    if (!picture) return;
    const box = thing.leaf === undefined ? marks.selected : [...marks.tied][0] ?? -1;
    const frame = picture.frames[marks.frame];
    const [left, top, right, bottom] = frame ? [frame.x, frame.y, frame.x + frame.width, frame.y + 30]
      : box >= 0 ? picture.boxBounds(box) : [view.x, view.y, view.x, view.y];
    const inside = left >= view.x && top >= view.y && right <= view.x + view.width / view.scale
      && bottom <= view.y + view.height / view.scale;
    const legible = view.scale * HEADING >= LEGIBLE;
    if (inside && legible) return;
    if (!legible) view.scale = 0.8;
    this.center((left + right) / 2, (top + bottom) / 2);
  }

  /** Draw at the next frame; more requests until then are one. */
  draw(now = false) {
    if (!this.picture) return;
    if (now) {
      this.paint();
    } else if (!this.asked) {
      this.asked = requestAnimationFrame(() => this.paint());
    }
  }

  paint() {
    cancelAnimationFrame(this.asked);
    this.asked = 0;
    const ratio = window.devicePixelRatio || 1;
    this.painter.paint(this.context, ratio, this.picture, this.view, this.look, this.marks);
    this.minimap.outline(this.view, this.picture);
    this.painted = (this.painted || 0) + 1;
  }

  /** Draw what is in view for paper: fine, and light. */
  print() {
    if (!this.picture) return;
    const canvas = this.page.print, { view, graph, boxes } = this;
    const ratio = Math.min(4, 4000 / view.width);
    canvas.width = Math.round(view.width * ratio);
    canvas.height = Math.round(view.height * ratio);
    const look = new Look(graph, boxes, graph.facts.palettes.light, this.heat);
    this.painter.paint(canvas.getContext('2d'), ratio, this.picture, view, look, this.marks);
  }

  focusGraph() {
    this.page.graph.focus();
  }

  say(text) {
    this.page.status.textContent = text;
  }
}

/** Gives who measures lines of text, each once. */
function measurer() {
  const context = document.createElement('canvas').getContext('2d');
  const known = new Map();
  context.font = "bold 10px Helvetica, Arial, 'Liberation Sans', 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
  return (text, size) => {
    if (!known.has(text)) known.set(text, context.measureText(text).width / 10);
    return known.get(text) * size;
  };
}
