/*
 * Opening: which folds are open, and which instance of each repeat is on show.
 */
"use strict";

class Opening {
  /** `open` is a byte per fold, `shown` a Map of repeat -> instance, 0 where it has none, or ALL. */
  constructor(graph, open, shown) {
    Object.assign(this, { graph, open, shown });
  }

  /** The opening of the first view. */
  static first(graph) {
    const { folds, shown } = graph.facts.opening;
    const open = new Uint8Array(graph.folds.size);
    for (const fold of folds) open[fold] = 1;
    return new Opening(graph, open, new Map(shown));
  }

  copy() {
    return new Opening(this.graph, this.open.slice(), new Map(this.shown));
  }

  instance(repeat) {
    return this.shown.get(repeat) || 0;
  }

  /** What lies right inside of a fold: all of it, but of a repeat the instance on show. */
  partsOf(fold) {
    const { graph } = this;
    const one = graph.folds.kind[fold] === REPEAT && this.instance(fold) !== ALL;
    const [first, stop] = one
      ? instanceOf(graph, fold, this.instance(fold))
      : [graph.folds.first[fold], graph.folds.stop[fold]];
    return partsBetween(graph, fold, first, stop);
  }

  /** Open a fold, and what is in it where that is but one fold. */
  openThrough(fold) {
    this.open[fold] = 1;
    for (let parts = this.partsOf(fold); parts.length === 1 && parts[0] >= 0;) {
      const [inner] = parts;
      if (this.graph.folds.rows[inner] === 1) return;
      this.open[inner] = 1;
      parts = this.partsOf(inner);
    }
  }

  /** Open everything, every instance of a repeat too; one operation in a fold stays in it. */
  openAll() {
    const { folds } = this.graph;
    for (let fold = 0; fold < folds.size; fold++) {
      this.open[fold] = folds.rows[fold] > 1 ? 1 : 0;
      if (folds.kind[fold] === REPEAT) this.shown.set(fold, ALL);
    }
  }

  isAllOpen() {
    const { rows, kind } = this.graph.folds;
    return (
      this.open.every((open, fold) => open || rows[fold] === 1) &&
      kind.every((one, fold) => one !== REPEAT || this.instance(fold) === ALL)
    );
  }

  /** Open all around a thing and show the instances that it is in; gives whether it was hidden. */
  reveal(thing) {
    const { folds, rows } = this.graph;
    const row = thing.row ?? folds.first[thing.fold];
    const innermost = thing.row === undefined ? folds.parent[thing.fold] : rows.fold[row];
    let hidden = false;
    for (const fold of [...foldsAround(this.graph, innermost)].reverse()) {
      if (!this.open[fold]) hidden = this.open[fold] = true;
      if (folds.kind[fold] !== REPEAT || this.instance(fold) === ALL) continue;
      const number = instanceAt(this.graph, fold, row);
      if (number === this.instance(fold)) continue;
      this.moveTo(fold, number);
      hidden = true;
    }
    return hidden;
  }

  /**
   * Show another instance of a repeat, in which what was open in the last one is open. Gives a Map
   * of the folds that were open to those like them.
   */
  moveTo(repeat, number) {
    const { graph } = this,
      from = this.instance(repeat);
    this.shown.set(repeat, number);
    if (from === ALL || number === ALL || from === number) return new Map();
    const parts = (one) => partsBetween(graph, repeat, ...instanceOf(graph, repeat, one));
    return this.moveOpen(parts(from), parts(number));
  }

  moveOpen(from, to) {
    const { graph, open, shown } = this,
      moved = new Map(),
      stack = [[from, to]];
    const inside = (fold) =>
      partsBetween(graph, fold, graph.folds.first[fold], graph.folds.stop[fold]);
    while (stack.length) {
      const [ones, others] = stack.pop();
      if (ones.length !== others.length) continue;
      ones.forEach((one, at) => {
        const other = others[at];
        if (one < 0 || other < 0) return;
        moved.set(one, other);
        if (!open[one]) return;
        open[one] = 0;
        open[other] = 1;
        if (shown.has(one)) shown.set(other, shown.get(one));
        stack.push([inside(one), inside(other)]);
      });
    }
    return moved;
  }
}
