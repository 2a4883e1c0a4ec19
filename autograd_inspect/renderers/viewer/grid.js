/*
 * Grid: finds what lies in an area, of many things that have places.
 */
"use strict";

/** Cells of equal size that know what lies in them; what spans many is in a list of its own. */
class Grid {
  constructor(area, count, boundsOf) {
    const cells = Math.max(1, count / 8);
    this.cell = Math.max(60, Math.sqrt((area.width * area.height) / cells) || 60);
    this.across = Math.ceil(area.width / this.cell) + 1;
    this.down = Math.ceil(area.height / this.cell) + 1;
    this.large = [];
    this.start = new Int32Array(this.across * this.down + 1);
    this.stamp = new Uint32Array(count);
    this.round = 0;
    this.bounds = new Float32Array(4 * count);
    for (let at = 0; at < count; at++) this.bounds.set(boundsOf(at), 4 * at);
    this.fill(count);
  }

  fill(count) {
    const each = (action) => {
      for (let at = 0; at < count; at++) {
        const [x0, y0, x1, y1] = this.cells(...this.bounds.subarray(4 * at, 4 * at + 4));
        if ((x1 - x0 + 1) * (y1 - y0 + 1) > 64) action(at, -1);
        else
          for (let y = y0; y <= y1; y++)
            for (let x = x0; x <= x1; x++) action(at, y * this.across + x);
      }
    };
    each((at, cell) => {
      if (cell >= 0) this.start[cell + 1]++;
      else this.large.push(at);
    });
    for (let cell = 0; cell + 1 < this.start.length; cell++)
      this.start[cell + 1] += this.start[cell];
    this.entries = new Int32Array(this.start[this.start.length - 1]);
    const next = this.start.slice();
    each((at, cell) => {
      if (cell >= 0) this.entries[next[cell]++] = at;
    });
  }

  cells(left, top, right, bottom) {
    const column = (x) => Math.min(this.across - 1, Math.max(0, Math.floor(x / this.cell)));
    const line = (y) => Math.min(this.down - 1, Math.max(0, Math.floor(y / this.cell)));
    return [column(left), line(top), column(right), line(bottom)];
  }

  /** Everything whose bounds meet an area, up to `most`; undefined where there is more. */
  within(left, top, right, bottom, most = Infinity) {
    const [x0, y0, x1, y1] = this.cells(left, top, right, bottom);
    const found = [],
      { bounds } = this;
    const take = (at) => {
      if (
        bounds[4 * at] <= right &&
        bounds[4 * at + 2] >= left &&
        bounds[4 * at + 1] <= bottom &&
        bounds[4 * at + 3] >= top
      )
        found.push(at);
    };
    this.round++;
    this.large.forEach(take);
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const cell = y * this.across + x;
        for (let at = this.start[cell]; at < this.start[cell + 1]; at++) {
          const one = this.entries[at];
          if (this.stamp[one] === this.round) continue;
          this.stamp[one] = this.round;
          take(one);
        }
        if (found.length > most) return undefined;
      }
    }
    return found;
  }
}
