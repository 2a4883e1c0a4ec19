/*
 * Paths: the shortest way from something to the root, and who shares a leaf with whom.
 */
"use strict";

class Paths {
  constructor(graph) {
    this.graph = graph;
    this.users = null;
  }

  /** Per row, the arrows that lead to it. */
  arrowsTo() {
    if (!this.users) {
      const { arrows, rows } = this.graph;
      const order = sortedBy(
        Int32Array.from({ length: arrows.size }, (_, at) => at),
        rows.size,
        (at) => arrows.target[at],
      );
      const starts = new Int32Array(rows.size + 1);
      for (const target of arrows.target) starts[target + 1]++;
      for (let row = 0; row < rows.size; row++) starts[row + 1] += starts[row];
      this.users = { order, starts };
    }
    return this.users;
  }

  /** The arrows of a shortest way from one of some rows to a root, in this order; null for none. */
  toRoot(from) {
    const { arrows, rows, rootNames } = this.graph;
    const { order, starts } = this.arrowsTo();
    const cameBy = new Int32Array(rows.size).fill(-2);
    const queue = [...from];
    for (const row of queue) cameBy[row] = -1;
    for (let next = 0; next < queue.length; next++) {
      const row = queue[next];
      if (rootNames.has(row)) return this.traced(row, cameBy);
      for (let at = starts[row]; at < starts[row + 1]; at++) {
        const user = arrows.source[order[at]];
        if (cameBy[user] !== -2) continue;
        cameBy[user] = order[at];
        queue.push(user);
      }
    }
    return null;
  }

  traced(row, cameBy) {
    const { arrows } = this.graph,
      way = [];
    for (; cameBy[row] >= 0; row = arrows.target[cameBy[row]]) way.push(cameBy[row]);
    return way.reverse();
  }

  /** All rows of a thing: a row, a fold, or the users of a leaf. */
  rowsOf(thing) {
    const { folds } = this.graph;
    if (thing.row !== undefined) return [thing.row];
    if (thing.fold !== undefined) {
      return Array.from(
        { length: folds.rows[thing.fold] },
        (_, at) => folds.first[thing.fold] + at,
      );
    }
    return this.usersOf(thing.leaf);
  }

  usersOf(leaf) {
    if (!this.byLeaf) {
      const { uses, leaves } = this.graph;
      const all = Int32Array.from({ length: uses.leaf.length }, (_, at) => at);
      this.byLeaf = sortedBy(all, leaves.size, (at) => uses.leaf[at]);
      this.leafStart = startsOfCounts(severalLeaves(this.graph));
    }
    const found = this.byLeaf.subarray(this.leafStart[leaf], this.leafStart[leaf + 1]);
    return Array.from(found, (at) => this.graph.uses.source[at]);
  }
}
