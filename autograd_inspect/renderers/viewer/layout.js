/* The layout of every drawing, for the page: the twin of autograd_inspect/layout in Python.
 *
 * `layered.py` describes the algorithm, step by step; the numbers below are its steps, the names
 * those of its modules. Both give the same coordinates: tests/layout/vectors.json holds them to it.
 * A plain script: a page, a worker and node can load it; it defines three functions.
 *
 * layOut(diagram, {reverse = false, aspect = null}) -> layout
 *   diagram  width, height   per box
 *            upper, lower    per arrow, the boxes at its ends: the upper one is drawn above
 *            room            per arrow, the width kept free for a label where it enters; or absent
 *            group           per box, the innermost frame around it, -1 for none; or absent
 *            parent          per frame, the one around it, a smaller number, -1 for none; or absent
 *            head            per frame, [width, height] kept free for its label
 *            carried         per arrow, whether it leads back up; or absent
 *   layout   x, y            per box, its centre
 *            routes          per arrow, [x, y, x, y, ...] from its upper box to its lower one, with
 *                            `reverse` the other way. Pieces are straight where x stays the same,
 *                            else cubic, with vertical tangents that end half way down
 *            width, height   of all of it
 *            frames          per frame, {x, y, width, height, label}: corner, size, label's left end
 * textWidth(text, size) -> the width of a line of text, in the unit of `size`
 * learnWidths({character: thousandths of an em}) tells it of characters beyond ASCII
 */
"use strict";

const { layOut, textWidth, learnWidths } = (function () {
  // ---- Numbers as Python has them -------------------------------------------------------------

  /** Round to one decimal, a tie to the even digit, as Python does: by the exact binary value. */
  function round1(value) {
    const tenths = value * 10;
    const nearest = Math.round(tenths);
    if (Math.abs(Math.abs(tenths - nearest) - 0.5) > 1e-6) return nearest / 10;
    if (Number.isInteger(value * 4)) {
      const below = Math.floor(tenths);
      return (below % 2 === 0 ? below : below + 1) / 10;
    }
    return Number(value.toFixed(1));
  }

  /** Round to six decimals likewise. */
  function round6(value) {
    const millionths = value * 1e6;
    const nearest = Math.round(millionths);
    if (Math.abs(Math.abs(millionths - nearest) - 0.5) > 1e-3) return nearest / 1e6;
    if (Number.isInteger(value * 128)) {
      const below = Math.floor(millionths);
      return (below % 2 === 0 ? below : below + 1) / 1e6;
    }
    return Number(value.toFixed(6));
  }

  /** Give the first place in sorted values, from `low` on, whose value is above this one. */
  function bisectRight(values, value, low = 0) {
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value < values[middle]) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Give the first place in sorted values whose value is not below this one. */
  function bisectLeft(values, value) {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Sort numbers in place; lists of up to a few dozen, nearly sorted, are the rule. */
  function sortNumbers(values) {
    if (values.length > 40) return values.sort((a, b) => a - b);
    for (let i = 1; i < values.length; i++) {
      const value = values[i];
      let j = i;
      for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
      values[j] = value;
    }
    return values;
  }

  /** Sort in place by an order without ties. */
  function sortBy(values, order) {
    if (values.length > 40) return values.sort(order);
    for (let i = 1; i < values.length; i++) {
      const value = values[i];
      let j = i;
      for (; j > 0 && order(values[j - 1], value) > 0; j--) values[j] = values[j - 1];
      values[j] = value;
    }
    return values;
  }

  /** Give the middle value, of an even number the mean of the two in the middle; sorts them. */
  function median(values) {
    sortNumbers(values);
    const half = values.length >> 1;
    return values.length % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
  }

  function largest(values, least) {
    let found = least;
    for (const value of values) if (value > found) found = value;
    return found;
  }

  function lists(count) {
    const made = new Array(count);
    for (let i = 0; i < count; i++) made[i] = [];
    return made;
  }

  function upTo(count) {
    const numbers = new Array(count);
    for (let i = 0; i < count; i++) numbers[i] = i;
    return numbers;
  }

  const filled = (count, value) => new Array(count).fill(value);

  // ---- Step 1: heights ------------------------------------------------------------------------

  /** Order the boxes so that all below a box come before it, as far as there is no cycle. */
  function bottomUp(boxes, upper, lower) {
    const parents = lists(boxes);
    const waiting = new Int32Array(boxes);
    for (let arrow = 0; arrow < upper.length; arrow++) {
      parents[lower[arrow]].push(upper[arrow]);
      waiting[upper[arrow]]++;
    }
    const order = [];
    for (let box = 0; box < boxes; box++) if (!waiting[box]) order.push(box);
    let unsorted = 0;
    for (let done = 0; order.length < boxes || done < order.length; done++) {
      if (done === order.length) { // only cycles are left: enter one at its first box
        while (waiting[unsorted] <= 0) unsorted++;
        waiting[unsorted] = 0;
        order.push(unsorted++);
      }
      for (const parent of parents[order[done]]) if (!--waiting[parent]) order.push(parent);
    }
    return { order, parents };
  }

  /** Turn around arrows that would close a cycle. */
  function withoutCycles(boxes, upper, lower) {
    const place = new Int32Array(boxes);
    bottomUp(boxes, upper, lower).order.forEach((box, turn) => { place[box] = turn; });
    const up = [];
    const low = [];
    const turned = [];
    for (let arrow = 0; arrow < upper.length; arrow++) {
      const turn = place[upper[arrow]] < place[lower[arrow]];
      turned.push(turn);
      up.push(turn ? lower[arrow] : upper[arrow]);
      low.push(turn ? upper[arrow] : lower[arrow]);
    }
    return { up, low, turned };
  }

  /** Give each box the length of its longest way down. */
  function longestWaysDown(boxes, upper, lower) {
    const { order, parents } = bottomUp(boxes, upper, lower);
    const height = filled(boxes, 0);
    for (const box of order) {
      const above = height[box] + 1;
      for (const parent of parents[box]) if (height[parent] < above) height[parent] = above;
    }
    return height;
  }

  /** Lift what hangs on a further root up to where it branches off. */
  function tighten(height, upper, lower) {
    const boxes = height.length;
    let grounded = 0;
    for (const level of height) if (!level) grounded++;
    if (grounded < 2) return;
    for (let round = 0; round < Math.min(grounded, 32); round++) {
      const piece = piecesOf(height, upper, lower);
      const balance = new Int32Array(boxes);
      const room = new Float64Array(boxes).fill(Infinity);
      for (let arrow = 0; arrow < upper.length; arrow++) {
        const up = upper[arrow];
        const low = lower[arrow];
        if (piece[up] === piece[low]) continue;
        balance[piece[low]]++;
        balance[piece[up]]--;
        room[piece[low]] = Math.min(room[piece[low]], height[up] - height[low] - 1);
      }
      let moved = false;
      for (let box = 0; box < boxes; box++) {
        const lifted = balance[piece[box]] > 0 ? room[piece[box]] : 0;
        height[box] += lifted;
        moved = moved || lifted > 0;
      }
      if (!moved) break;
    }
    const least = height.reduce((a, b) => Math.min(a, b), 0);
    for (let box = 0; box < boxes; box++) height[box] -= least;
  }

  /** Give each box the smallest one that arrows of length one hold it together with. */
  function piecesOf(height, upper, lower) {
    const piece = Int32Array.from(height.keys());
    const find = (box) => {
      while (piece[box] !== box) {
        piece[box] = piece[piece[box]];
        box = piece[box];
      }
      return box;
    };
    for (let arrow = 0; arrow < upper.length; arrow++) {
      if (height[upper[arrow]] - height[lower[arrow]] !== 1) continue;
      const one = find(upper[arrow]);
      const other = find(lower[arrow]);
      if (one < other) piece[other] = one;
      else piece[one] = other;
    }
    for (let box = 0; box < piece.length; box++) piece[box] = find(box);
    return piece;
  }

  /** Move each frame to a level that is tall anyway, if it is what makes its own one tall. */
  function gatherFrames(sheet, height, upper, lower) {
    const top = largest(height, 0);
    const onLevel = upTo(top + 1).map(() => new Map());
    height.forEach((level, box) => onLevel[level].set(box, sheet.height[box]));
    const over = new Map(sheet.frames.map((frame) => [frame, []]));
    const under = new Map(sheet.frames.map((frame) => [frame, []]));
    for (let arrow = 0; arrow < upper.length; arrow++) {
      if (under.has(upper[arrow])) under.get(upper[arrow]).push(lower[arrow]);
      if (over.has(lower[arrow])) over.get(lower[arrow]).push(upper[arrow]);
    }
    const order = sheet.frames.slice().sort((a, b) => sheet.height[b] - sheet.height[a]);
    for (const frame of order) {
      const here = height[frame];
      const tall = sheet.height[frame];
      onLevel[here].delete(frame);
      let lowest = 0;
      for (const box of under.get(frame)) lowest = Math.max(lowest, height[box] + 1);
      let highest = top;
      for (const box of over.get(frame)) highest = Math.min(highest, height[box] - 1);
      let best = -1;
      let least = Infinity;
      let way = Infinity;
      for (let to = lowest; to <= highest; to++) {
        const grown = Math.max(tall - largest(onLevel[to].values(), 0), 0);
        const far = Math.abs(to - here);
        if (grown < least || (grown === least && far <= way)) [best, least, way] = [to, grown, far];
      }
      height[frame] = best;
      onLevel[best].set(frame, tall);
    }
  }

  /** Give the level of each box, counted from the bottom. */
  function heightsOf(sheet, upper, lower) {
    const height = longestWaysDown(sheet.width.length, upper, lower);
    tighten(height, upper, lower);
    const top = largest(height, 0);
    for (const box of sheet.first) height[box] = top;
    for (const box of sheet.last) height[box] = 0;
    if (sheet.frames.length) gatherFrames(sheet, height, upper, lower);
    return height;
  }

  // ---- Step 2: levels, bends ------------------------------------------------------------------

  const NONE = Object.freeze([]);

  /** Put each box on a level and bends where arrows pass over levels; see Levels in levels.py. */
  function makeLevels(sheet) {
    const boxes = sheet.width.length;
    const { up, low, turned } = withoutCycles(boxes, sheet.upper, sheet.lower);
    const height = heightsOf(sheet, up, low);
    const top = largest(height, 0);
    const owner = [...upTo(boxes), ...sheet.port];
    const spots = owner.length;
    const ports = new Map();
    for (const port of upTo(sheet.port.length).sort((a, b) => sheet.at[a] - sheet.at[b])) {
      if (!ports.has(sheet.port[port])) ports.set(sheet.port[port], []);
      ports.get(sheet.port[port]).push(boxes + port);
    }
    const above = lists(spots);
    const below = lists(spots);
    const spot = (end, port, turn) => (port < 0 || turn ? end : boxes + port);
    const levels = {
      boxes,
      bends: spots,
      width: [...sheet.width, ...filled(sheet.port.length, 0)],
      weight: [...sheet.weight, ...filled(sheet.port.length, 0)],
      level: owner.map((box) => top - height[box]),
      rows: 0,
      above,
      below,
      uppers: above.slice(),
      lowers: below.slice(),
      owner,
      at: [...filled(boxes, 0), ...sheet.at],
      ports,
      stem: new Int32Array(spots).fill(-1),
      stemEnd: new Int32Array(spots).fill(-1),
      lane: new Uint8Array(spots),
      upper: up,
      lower: low,
      leaves: up.map((end, arrow) => spot(end, sheet.leaves[arrow], turned[arrow])),
      enters: low.map((end, arrow) => spot(end, sheet.enters[arrow], turned[arrow])),
      turned,
    };
    levels.rows = largest(levels.level, -1) + 1;
    for (const box of ports.keys()) {
      levels.uppers[box] = [];
      levels.lowers[box] = [];
    }
    growStems(levels);
    levels.enters.forEach((end, arrow) => {
      const stop = lastStop(levels, arrow);
      if (stop >= 0) join(levels, stop, end);
    });
    return levels;
  }

  /** Give the vertex that an arrow comes from when it enters its lower box; -1 for a lane. */
  function lastStop(levels, arrow) {
    const spot = levels.leaves[arrow];
    const passed = levels.level[levels.lower[arrow]] - levels.level[spot] - 1;
    if (!passed) return spot;
    return levels.lane[spot] ? -1 : levels.stem[spot] + passed - 1;
  }

  function join(levels, upper, lower) {
    levels.below[upper].push(lower);
    levels.above[lower].push(upper);
    const lowers = levels.lowers[levels.owner[upper]];
    if (lowers !== levels.below[upper]) lowers.push(lower);
    const uppers = levels.uppers[levels.owner[lower]];
    if (uppers !== levels.above[lower]) uppers.push(upper);
  }

  /** Give the long arrows of a box or port one common stem of bends, the shortest stems first. */
  function growStems(levels) {
    const { level, bends } = levels;
    const reach = new Int32Array(bends);
    levels.leaves.forEach((spot, arrow) => {
      reach[spot] = Math.max(reach[spot], level[levels.lower[arrow]] - level[spot] - 1);
    });
    let left = 2 * levels.boxes + 1000;
    const long = [];
    for (let spot = 0; spot < bends; spot++) if (reach[spot]) long.push(spot);
    long.sort((a, b) => reach[a] - reach[b]);
    for (const spot of long) {
      left -= reach[spot];
      if (left < 0) {
        levels.lane[spot] = 1;
        continue;
      }
      levels.stem[spot] = level.length;
      levels.stemEnd[spot] = level.length + reach[spot];
      let before = spot;
      for (let i = 0; i < reach[spot]; i++) before = addBend(levels, before);
    }
  }

  /** Add a bend below a vertex and a segment to it; gives its number. */
  function addBend(levels, before) {
    const bend = levels.level.length;
    const above = [before];
    const below = [];
    levels.width.push(0);
    levels.weight.push(0);
    levels.level.push(levels.level[before] + 1);
    levels.owner.push(bend);
    levels.at.push(0);
    levels.above.push(above);
    levels.uppers.push(above);
    levels.below.push(below);
    levels.lowers.push(below);
    levels.below[before].push(bend);
    const lowers = levels.lowers[levels.owner[before]];
    if (lowers !== levels.below[before]) lowers.push(bend);
    return bend;
  }

  // ---- Step 3: orders -------------------------------------------------------------------------

  const SEGMENTS_PER_ROUND = 60000;
  const FEWEST_ROUNDS = 2;
  const MOST_ROUNDS = 12;
  const LARGEST_SWAP = 64;
  const REACH = 8;

  /** Give the vertices of each level from left to right. */
  function orderLevels(levels) {
    let rows = firstRows(levels);
    const vertices = levels.level.length;
    const scratch = {
      place: new Float64Array(vertices),
      mean: new Float64Array(vertices),
      tie: new Float64Array(vertices),
      ends: [],
      spare: [],
    };
    let crossings = rows.map((row, i) => crossingsOf(levels, row, rows[i + 1] || NONE, scratch));
    let segments = 0;
    for (const near of levels.below) segments += near.length;
    const share = Math.floor(SEGMENTS_PER_ROUND / (segments + 1));
    const rounds = Math.max(FEWEST_ROUNDS, Math.min(MOST_ROUNDS, share));
    for (let number = 0; number < rounds; number++) {
      if (!crossings.some((count) => count)) break;
      const near = nearCrossings(crossings);
      const tried = rows.map((row, level) => (near[level] ? row.slice() : row));
      for (const upwards of [false, true]) {
        sweep(tried, levels, near, number, upwards, scratch);
        swapNeighbours(tried, levels, near, scratch);
        const counts = crossings.map((count, i) =>
          near[i] || near[i + 1] ? crossingsOf(levels, tried[i], tried[i + 1] || NONE, scratch) : count
        );
        [rows, crossings] = bestOf(rows, crossings, tried, counts);
      }
    }
    return rows;
  }

  /** Mark the levels close to a crossing: only those are worth another try. */
  function nearCrossings(crossings) {
    const near = new Uint8Array(crossings.length);
    crossings.forEach((count, level) => {
      if (count) near.fill(1, Math.max(level - REACH, 0), level + REACH + 2);
    });
    return near;
  }

  /** Mix two orders: levels on which they agree cut the graph into pieces, each taken by itself. */
  function bestOf(rows, crossings, tried, counts) {
    const mixed = rows.slice();
    const mixedCounts = crossings.slice();
    let begin = 0;
    let gain = 0;
    const settle = (end) => {
      if (gain > 0) {
        for (let level = begin; level < end; level++) {
          mixed[level] = tried[level].slice();
          mixedCounts[level] = counts[level];
        }
      }
      begin = end;
      gain = 0;
    };
    for (let level = 0; level < rows.length; level++) {
      if (sameRow(rows[level], tried[level])) settle(level);
      gain += crossings[level] - counts[level];
    }
    settle(rows.length);
    return [mixed, mixedCounts];
  }

  function sameRow(one, other) {
    if (one === other) return true;
    for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
    return true;
  }

  /** Order by a depth-first walk up from the bottom: it lays out trees without crossing. */
  function firstRows(levels) {
    const rows = lists(levels.rows);
    const seen = new Uint8Array(levels.level.length);
    const stack = [];
    for (let start = 0; start < levels.boxes; start++) {
      if (levels.lowers[start].length) continue;
      stack.push(start);
      while (stack.length) {
        const vertex = stack.pop();
        if (seen[vertex]) continue;
        seen[vertex] = 1;
        rows[levels.level[vertex]].push(vertex);
        const uppers = levels.uppers[vertex];
        for (let i = uppers.length - 1; i >= 0; i--) stack.push(levels.owner[uppers[i]]);
      }
    }
    return rows;
  }

  /** Note the place of each vertex in a row, and those of the ports on it a little beside. */
  function notePlaces(levels, row, place, first = 0) {
    for (let i = 0; i < row.length; i++) {
      const vertex = row[i];
      place[vertex] = first + i;
      if (!levels.ports.size || vertex >= levels.boxes) continue;
      for (const port of levels.ports.get(vertex) || NONE) {
        place[port] = first + i + levels.at[port] / levels.width[vertex];
      }
    }
  }

  /** Sort row after row by the mean place of the neighbours in the row before. */
  function sweep(rows, levels, near, number, upwards, { place, mean, tie }) {
    const slots = [];
    const movable = [];
    const before = (a, b) => mean[a] - mean[b] || tie[a] - tie[b] || a - b;
    const neighbours = upwards ? levels.lowers : levels.uppers;
    const count = rows.length;
    for (let step = 1; step < count; step++) {
      const level = upwards ? count - 1 - step : step;
      if (!near[level]) continue;
      const row = rows[level];
      notePlaces(levels, rows[upwards ? level + 1 : level - 1], place);
      slots.length = movable.length = 0;
      for (let i = 0; i < row.length; i++) {
        const vertex = row[i];
        const ends = neighbours[vertex];
        if (!ends.length) continue;
        let sum = 0;
        for (let j = 0; j < ends.length; j++) sum += place[ends[j]];
        slots.push(i);
        mean[vertex] = sum / ends.length;
        tie[vertex] = number ? (vertex * 7919 * number) % 65521 : i;
        movable.push(vertex);
      }
      sortBy(movable, before);
      for (let i = 0; i < slots.length; i++) row[slots[i]] = movable[i];
    }
  }

  /** Count the pairs of segments between two levels that cross. */
  function crossingsOf(levels, upper, lower, scratch) {
    if (!levels.ports.size && (upper.length < 2 || lower.length < 2)) return 0;
    const { place, ends } = scratch;
    notePlaces(levels, lower, place);
    ends.length = 0;
    const collect = (vertex) => {
      const begin = ends.length;
      const heads = levels.below[vertex];
      if (heads.length > 24) {
        for (const at of heads.map((head) => place[head]).sort((a, b) => a - b)) ends.push(at);
        return;
      }
      for (const head of heads) {
        let i = ends.length;
        const at = place[head];
        ends.push(at);
        for (; i > begin && ends[i - 1] > at; i--) ends[i] = ends[i - 1];
        ends[i] = at;
      }
    };
    for (const vertex of upper) {
      collect(vertex);
      if (levels.ports.size && vertex < levels.boxes) {
        for (const port of levels.ports.get(vertex) || NONE) collect(port);
      }
    }
    return inversions(ends, scratch.spare);
  }

  /** Count the pairs that are in the wrong order; merges them in place. */
  function inversions(values, spare) {
    const length = values.length;
    let count = 0;
    if (length <= 24) {
      for (let i = 1; i < length; i++) {
        const value = values[i];
        let j = i;
        for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
        values[j] = value;
        count += i - j;
      }
      return count;
    }
    for (let size = 1; size < length; size *= 2) {
      for (let begin = 0; begin < length; begin += 2 * size) {
        const middle = Math.min(begin + size, length);
        const end = Math.min(begin + 2 * size, length);
        let i = begin;
        let j = middle;
        for (let k = begin; k < end; k++) {
          if (i < middle && (j >= end || values[i] <= values[j])) spare[k] = values[i++];
          else {
            spare[k] = values[j++];
            count += middle - i;
          }
        }
        for (let k = begin; k < end; k++) values[k] = spare[k];
      }
    }
    return count;
  }

  /** Swap pairs that stand side by side where that saves crossings. */
  function swapNeighbours(rows, levels, close, { place }) {
    for (let level = 0; level < rows.length; level++) {
      if (close[level] || close[level - 1] || close[level + 1]) notePlaces(levels, rows[level], place);
    }
    for (let level = 0; level < rows.length; level++) {
      if (!close[level]) continue;
      const row = rows[level];
      for (let i = 0; i + 1 < row.length; i++) {
        const one = row[i];
        const other = row[i + 1];
        if (savedBySwap(levels, place, one, other) > 0) {
          row[i] = other;
          row[i + 1] = one;
          notePlaces(levels, [other, one], place, i);
        }
      }
    }
  }

  /** Count the crossings that would go if `other` came first, less those that would come. */
  function savedBySwap(levels, place, one, other) {
    let saved = 0;
    for (const neighbours of [levels.uppers, levels.lowers]) {
      const a = neighbours[one];
      const b = neighbours[other];
      if (a.length * b.length > LARGEST_SWAP) continue;
      for (const v of a) {
        const here = place[v];
        for (const w of b) {
          const there = place[w];
          saved += (here > there) - (here < there);
        }
      }
    }
    return saved;
  }

  // ---- Step 4: columns of vertices ------------------------------------------------------------

  const ROUNDS = 8;
  const PASSES = 4;
  const BOX_GAP = 20;
  const BEND_GAP = 14;
  const WEAK = 2;
  const SPARE = 200;
  const SPARE_SHARE = 1.5;

  /** Give the horizontal centre of each vertex. */
  function placeColumns(levels, rows) {
    const joints = jointsOf(levels, rows);
    let packing;
    let x;
    for (let round = 0; round < ROUNDS; round++) {
      packing = packingOf(levels, rows, joints);
      x = packedLeft(packing);
      const loosened = tooStiff(packing, x, joints);
      if (!loosened.size) break;
      for (const vertex of loosened) joints.upper[vertex] = -1;
    }
    for (let pass = 0; pass < PASSES; pass++) pull(packing, x);
    return levels.owner.map((owner, vertex) =>
      x[packing.column[owner]] + packing.shift[owner] + levels.at[vertex]
    );
  }

  /** Join vertices to columns: per vertex the one above that it is joined to, how firmly, where. */
  function jointsOf(levels, rows) {
    const count = levels.level.length;
    const place = new Int32Array(count);
    for (const row of rows) for (let i = 0; i < row.length; i++) place[row[i]] = i;
    const joints = {
      upper: new Int32Array(count).fill(-1),
      rank: new Uint8Array(count),
      aside: new Float64Array(count),
    };
    const continued = new Uint8Array(count);
    const taken = rows.map(() => [[], []]);
    const { order, above, below, rank } = segmentsByWeight(levels, rows, place);
    for (const segment of order) {
      const upper = levels.owner[above[segment]];
      const lower = levels.owner[below[segment]];
      if (continued[upper] || joints.upper[lower] >= 0) continue;
      const [ups, lows] = taken[levels.level[upper]];
      const i = bisectLeft(ups, place[upper]);
      if (i !== bisectLeft(lows, place[lower])) continue;
      ups.splice(i, 0, place[upper]);
      lows.splice(i, 0, place[lower]);
      continued[upper] = 1;
      joints.upper[lower] = upper;
      joints.rank[lower] = rank[segment];
      joints.aside[lower] = levels.at[above[segment]] - levels.at[below[segment]];
    }
    return joints;
  }

  /** List the segments and their rank, the ones that most need to be straight first. */
  function segmentsByWeight(levels, rows, place) {
    const { owner, bends } = levels;
    const toTop = longestWays(levels, rows, levels.uppers);
    const toBottom = longestWays(levels, rows.slice().reverse(), levels.lowers);
    const chain = chainsOf(levels, rows, place, toTop, toBottom);
    const longest = largest(toTop, 0);
    let count = 0;
    for (const near of levels.below) count += near.length;
    const above = new Int32Array(count);
    const below = new Int32Array(count);
    const rank = new Uint8Array(count);
    const way = new Int32Array(count);
    let next = 0;
    for (let spot = 0; spot < levels.below.length; spot++) {
      const upper = owner[spot];
      for (const end of levels.below[spot]) {
        const lower = owner[end];
        above[next] = spot;
        below[next] = end;
        way[next] = toTop[upper] + toBottom[lower];
        rank[next] = chain[upper] === lower ? 2 : 3;
        if (rank[next] === 2 && way[next] === longest) rank[next] = 0;
        else if (upper >= bends && lower >= bends) rank[next] = 1;
        next++;
      }
    }
    const order = Uint32Array.from(above.keys()).sort((a, b) =>
      rank[a] - rank[b] || way[b] - way[a] || owner[above[a]] - owner[above[b]] ||
      owner[below[a]] - owner[below[b]] || above[a] - above[b] || below[a] - below[b]
    );
    return { order, above, below, rank };
  }

  /** Split the graph into chains: give the vertex below each one in its chain, -1 at the end. */
  function chainsOf(levels, rows, place, toTop, toBottom) {
    const below = new Int32Array(place.length).fill(-1);
    const length = new Int32Array(place.length).fill(1);
    for (let level = rows.length - 1; level >= 0; level--) {
      for (const vertex of rows[level]) {
        const uppers = levels.uppers[vertex];
        if (!uppers.length) continue;
        const near = uppers.length === 1 ? NONE : uppers.map((v) => levels.owner[v]);
        let up = levels.owner[uppers[0]];
        const middle = near.length ? median(near.map((v) => place[v])) : 0;
        for (const v of near) {
          const nearer = Math.abs(place[v] - middle) - Math.abs(place[up] - middle);
          if ((toTop[up] - toTop[v] || nearer || place[v] - place[up]) < 0) up = v;
        }
        const rival = below[up];
        const more = rival < 0 || toBottom[vertex] - toBottom[rival] || length[vertex] - length[rival];
        if (more > 0) {
          below[up] = vertex;
          length[up] = length[vertex] + 1;
        }
      }
    }
    return below;
  }

  /** Count the boxes on the longest way from each vertex through these neighbours, row by row. */
  function longestWays(levels, rows, neighbours) {
    const ways = new Int32Array(neighbours.length);
    for (const row of rows) {
      for (const vertex of row) {
        let longest = 0;
        for (const v of neighbours[vertex]) longest = Math.max(longest, ways[levels.owner[v]]);
        ways[vertex] = longest + levels.weight[vertex];
      }
    }
    return ways;
  }

  /** Lists of numbers, one after the other: those of i lie from start[i] to start[i + 1]. */
  function grouped(counts) {
    const start = new Int32Array(counts.length + 1);
    for (let i = 0; i < counts.length; i++) start[i + 1] = start[i] + counts[i];
    return start;
  }

  /** Find the columns that joints make, and what they have to do with each other; see Packing. */
  function packingOf(levels, rows, joints) {
    const { width } = levels;
    const { column, shift, members, top } = columnsOf(rows, joints, levels.level.length);
    const leftOf = new Int32Array(members.length);
    const rightOf = new Int32Array(members.length);
    for (const row of rows) {
      for (let i = 0; i + 1 < row.length; i++) {
        rightOf[column[row[i]]]++;
        leftOf[column[row[i + 1]]]++;
      }
    }
    const left = bounds(leftOf);
    const right = bounds(rightOf);
    let widest = 0;
    rows.forEach((row, level) => {
      let extent = 0;
      for (let i = 0; i + 1 < row.length; i++) {
        const one = row[i];
        const other = row[i + 1];
        const bends = !width[one] || !width[other];
        const gap = (width[one] + width[other]) / 2 + (bends ? BEND_GAP : BOX_GAP);
        const apart = gap + shift[one] - shift[other];
        left.add(column[other], column[one], apart, level);
        right.add(column[one], column[other], apart, level);
        extent += gap;
      }
      widest = Math.max(widest, extent);
    });
    const pulls = pullsOf(levels, column, shift, members.length);
    return { column, shift, members, top, left, right, pulls, turn: leftToRight(left, right), widest };
  }

  /** Per column, its neighbours on one side, how far from each it must stay, and on which level. */
  function bounds(counts) {
    const start = grouped(counts);
    const next = start.slice();
    const total = start[counts.length];
    const other = new Int32Array(total);
    const gap = new Float64Array(total);
    const level = new Int32Array(total);
    const add = (column, neighbour, apart, at) => {
      const i = next[column]++;
      other[i] = neighbour;
      gap[i] = apart;
      level[i] = at;
    };
    return { start, other, gap, level, add };
  }

  /** Find the columns, numbered by their first vertices, row by row. */
  function columnsOf(rows, joints, vertices) {
    const column = new Int32Array(vertices);
    const shift = new Float64Array(vertices);
    const members = [];
    const top = [];
    rows.forEach((row, level) => {
      for (const vertex of row) {
        const upper = joints.upper[vertex];
        if (upper >= 0) {
          column[vertex] = column[upper];
          shift[vertex] = shift[upper] + joints.aside[vertex];
        } else {
          column[vertex] = members.length;
          members.push([]);
          top.push(level);
        }
        members[column[vertex]].push(vertex);
      }
    });
    return { column, shift, members, top };
  }

  /** Give per column those it has segments to, and how far right of them it then would lie. */
  function pullsOf(levels, column, shift, count) {
    const counts = new Int32Array(count);
    const each = (use) => {
      for (let spot = 0; spot < levels.below.length; spot++) {
        const upper = levels.owner[spot];
        const here = column[upper];
        for (const other of levels.below[spot]) {
          const lower = levels.owner[other];
          if (column[lower] !== here) use(spot, upper, here, other, lower, column[lower]);
        }
      }
    };
    each((spot, upper, here, other, lower, there) => {
      counts[here]++;
      counts[there]++;
    });
    const start = grouped(counts);
    const next = start.slice();
    const to = new Int32Array(start[count]);
    const aside = new Float64Array(start[count]);
    each((spot, upper, here, other, lower, there) => {
      const right = shift[upper] + levels.at[spot] - shift[lower] - levels.at[other];
      to[next[here]] = there;
      aside[next[here]++] = -right;
      to[next[there]] = here;
      aside[next[there]++] = right;
    });
    return { start, to, aside };
  }

  /** Order the columns so that each comes after all that are left of it. */
  function leftToRight(left, right) {
    const count = left.start.length - 1;
    const waiting = new Int32Array(count);
    const turn = [];
    for (let column = 0; column < count; column++) {
      waiting[column] = left.start[column + 1] - left.start[column];
      if (!waiting[column]) turn.push(column);
    }
    for (let i = 0; i < turn.length; i++) {
      for (let j = right.start[turn[i]]; j < right.start[turn[i] + 1]; j++) {
        if (!--waiting[right.other[j]]) turn.push(right.other[j]);
      }
    }
    return turn;
  }

  /** Place every column as far left as it can be. */
  function packedLeft({ members, left, turn }) {
    const x = new Float64Array(members.length);
    for (const column of turn) x[column] = leastOf(left, column, x, 0);
    return x;
  }

  function leastOf(left, column, x, none) {
    const end = left.start[column + 1];
    let i = left.start[column];
    if (i === end) return none;
    let least = -Infinity;
    for (; i < end; i++) least = Math.max(least, x[left.other[i]] + left.gap[i]);
    return least;
  }

  /** Find joints to give up where straight columns push each other far to the right. */
  function tooStiff(packing, x, joints) {
    const limit = packing.widest * SPARE_SHARE + SPARE;
    const { left } = packing;
    const far = [];
    for (let column = 0; column < x.length; column++) if (x[column] > limit) far.push(column);
    far.sort((a, b) => x[b] - x[a]);
    const done = new Uint8Array(x.length);
    const loosened = new Set();
    for (const start of far) {
      let column = start;
      let leaving = -1;
      while (!done[column] && left.start[column] < left.start[column + 1]) {
        done[column] = 1;
        let best = left.start[column];
        for (let i = best + 1; i < left.start[column + 1]; i++) {
          const further = x[left.other[i]] + left.gap[i] - (x[left.other[best]] + left.gap[best]);
          if ((further || left.level[i] - left.level[best] || left.other[i] - left.other[best]) > 0) {
            best = i;
          }
        }
        const entering = left.level[best];
        if (leaving >= 0) {
          const weakest = weakestBetween(packing, column, entering, leaving, joints);
          if (weakest >= 0) loosened.add(weakest);
        }
        column = left.other[best];
        leaving = entering;
      }
    }
    return loosened;
  }

  /** Choose the joint of a column between two levels that matters least, if it may go. */
  function weakestBetween({ members, top }, column, one, other, joints) {
    let found = -1;
    let weakest = WEAK - 1;
    const end = Math.max(one, other) - top[column];
    for (let i = Math.min(one, other) - top[column] + 1; i <= end; i++) {
      const vertex = members[column][i];
      if (joints.rank[vertex] > weakest) {
        weakest = joints.rank[vertex];
        found = vertex;
      }
    }
    return found;
  }

  /** Move every column towards the middle of those it belongs to, as far as there is room. */
  function pull({ left, right, pulls, turn }, x) {
    const wanted = [];
    const move = (column) => {
      const begin = pulls.start[column];
      const end = pulls.start[column + 1];
      if (begin === end) return;
      wanted.length = 0;
      for (let i = begin; i < end; i++) wanted.push(x[pulls.to[i]] + pulls.aside[i]);
      const least = leastOf(left, column, x, -Infinity);
      let most = Infinity;
      for (let i = right.start[column]; i < right.start[column + 1]; i++) {
        most = Math.min(most, x[right.other[i]] - right.gap[i]);
      }
      x[column] = Math.min(Math.max(median(wanted), least), most);
    };
    for (let i = turn.length - 1; i >= 0; i--) move(turn[i]);
    for (let i = 0; i < turn.length; i++) move(turn[i]);
  }

  // ---- Step 8: carried arrows -----------------------------------------------------------------

  const LANE_GAP = 14;
  const TRACK_GAP = 8;
  const FROM_BOX = 12;
  const TRACK_ROOM = 10;

  /** Take the carried arrows out of a sheet: they have no say in where its boxes go. */
  function setApart(sheet) {
    if (!sheet.carried.some((back) => back)) return { plain: sheet, carried: NONE };
    const boxes = sheet.width.length;
    const spot = (box, port) => (port < 0 ? box : boxes + port);
    const kept = (column) => column.filter((_, arrow) => !sheet.carried[arrow]);
    const carried = [];
    sheet.carried.forEach((back, arrow) => {
      if (!back) return;
      carried.push({
        arrow,
        leaves: spot(sheet.upper[arrow], sheet.leaves[arrow]),
        enters: spot(sheet.lower[arrow], sheet.enters[arrow]),
        room: sheet.room[arrow],
      });
    });
    const plain = { ...sheet, carried: NONE };
    for (const column of ["upper", "lower", "leaves", "enters", "room"]) {
      plain[column] = kept(sheet[column]);
    }
    return { plain, carried };
  }

  /** Give each net of carried arrows its lane and its tracks, the shortest innermost. */
  function layTracks(levels, x, arrows, lanes) {
    const { left, right } = reachOf(levels, x, lanes);
    const tracks = {
      arrows,
      lane: new Map(),
      span: new Map(),
      below: new Map(),
      above: new Map(),
      gaps: new Int32Array(left.length + 1),
      left,
      right,
    };
    if (!arrows.length) return tracks;
    const rows = lists(left.length);
    levels.level.forEach((level, vertex) => rows[level].push(vertex));
    const nets = new Map();
    for (const { leaves, enters } of arrows) {
      if (!nets.has(leaves)) nets.set(leaves, []);
      nets.get(leaves).push(enters);
    }
    const far = new Map();
    for (const [net, ends] of nets) {
      const passed = [net, ...ends].map((spot) => levels.level[spot]);
      const span = [Math.min(...passed), Math.max(...passed)];
      tracks.span.set(net, span);
      far.set(net, span[1] - span[0]);
    }
    for (const net of [...nets.keys()].sort((a, b) => far.get(a) - far.get(b) || a - b)) {
      const [first, last] = tracks.span.get(net);
      const crossed = (side) => crossedBeside(levels, x, rows, net, nets.get(net), side);
      const aside = crossed(1) <= crossed(-1);
      let lane = aside ? -Infinity : Infinity;
      for (let level = first; level <= last; level++) {
        lane = aside ? Math.max(lane, right[level]) : Math.min(lane, left[level]);
      }
      lane += aside ? LANE_GAP : -LANE_GAP;
      (aside ? right : left).fill(lane, first, last + 1);
      tracks.lane.set(net, lane);
    }
    stackTracks(tracks, levels, x, nets);
    return tracks;
  }

  /** Find out how far to the left and right everything on each level reaches. */
  function reachOf(levels, x, lanes) {
    const left = filled(levels.rows, Infinity);
    const right = filled(levels.rows, -Infinity);
    levels.level.forEach((level, vertex) => {
      left[level] = Math.min(left[level], x[vertex] - levels.width[vertex] / 2);
      right[level] = Math.max(right[level], x[vertex] + levels.width[vertex] / 2);
    });
    const last = new Map();
    levels.leaves.forEach((spot, arrow) => {
      if (!lanes.has(spot)) return;
      last.set(spot, Math.max(last.get(spot) || 0, levels.level[levels.lower[arrow]]));
    });
    for (const [spot, end] of last) {
      for (let level = levels.level[spot] + 1; level < end; level++) {
        left[level] = Math.min(left[level], lanes.get(spot));
        right[level] = Math.max(right[level], lanes.get(spot));
      }
    }
    return { left, right };
  }

  /** Count what leads down on this side of where a net leaves and enters. */
  function crossedBeside(levels, x, rows, net, entered, side) {
    let count = 0;
    const beside = (spot, near) => {
      for (const vertex of rows[levels.level[spot]]) {
        if (near[vertex].length && (x[vertex] - x[spot]) * side > 0) count++;
      }
    };
    beside(net, levels.below);
    for (const spot of entered) beside(spot, levels.above);
    return count;
  }

  /** Stack the tracks in each gap, the one with the shortest way next to its boxes. */
  function stackTracks(tracks, levels, x, nets) {
    const way = (net, spot) => Math.abs(tracks.lane.get(net) - x[spot]);
    const stacked = new Map();
    const stack = (key) => {
      stacked.set(key, (stacked.get(key) || 0) + 1);
      return stacked.get(key) - 1;
    };
    for (const net of [...nets.keys()].sort((a, b) => way(a, a) - way(b, b) || a - b)) {
      const gap = levels.level[net] + 1;
      tracks.below.set(net, stack(-gap));
      tracks.gaps[gap]++;
    }
    const entries = new Map();
    for (const [net, spots] of nets) {
      for (const spot of spots) {
        const level = levels.level[spot];
        entries.set(net + ":" + level, { net, level, spot });
      }
    }
    const order = [...entries].map(([key, { net, level, spot }]) => ({
      key, net, level, way: way(net, spot),
    }));
    order.sort((a, b) => a.way - b.way || a.net - b.net);
    for (const { key, level } of order) {
      tracks.above.set(key, stack(level + 1));
      tracks.gaps[level]++;
    }
  }

  // ---- Steps 5 and 6: bands and routes --------------------------------------------------------

  const GAP = 18;
  const BARE_GAP = 10;
  const WIDEST_GAP = 64;
  const GAP_PER_SHIFT = 0.05;
  const MOST_LANES = 500;
  const PORT_GAP = 12;
  const PORT_INSET = 10;
  const STRAIGHT = 0.5;

  /** Stack the levels; the gap is wider where lines have far to go to the side. */
  function stackBands(levels, x, sheet, tracks) {
    const count = levels.rows;
    const tallest = filled(count, 0);
    const shift = filled(count, 0);
    levels.level.forEach((level, vertex) => {
      if (vertex < levels.boxes) tallest[level] = Math.max(tallest[level], sheet.height[vertex]);
      for (const other of levels.below[vertex]) {
        shift[level] = Math.max(shift[level], Math.abs(x[other] - x[vertex]));
      }
    });
    const top = [];
    const bottom = [];
    let y = 0;
    for (let level = 0; level < count; level++) {
      top.push(y);
      bottom.push(y + tallest[level]);
      const bare = !tallest[level] || !tallest[Math.min(level + 1, count - 1)];
      const least = bare ? BARE_GAP : GAP;
      y = bottom[level] + Math.min(least + shift[level] * GAP_PER_SHIFT, WIDEST_GAP);
      y += TRACK_ROOM * tracks[level + 1];
    }
    const framed = new Set(sheet.frames.map((frame) => levels.level[frame]));
    const middle = sheet.height.map((height, box) => {
      const level = levels.level[box];
      // Beside a frame, what is entered by nothing lies at the end.
      if (framed.has(level) && !levels.uppers[box].length) return bottom[level] - height / 2;
      return (top[level] + bottom[level]) / 2;
    });
    return { top, bottom, middle };
  }

  /** Give each box or port that needs a lane one right of everything on the levels it passes. */
  function lanesBeside(levels, x) {
    const last = new Map();
    levels.leaves.forEach((spot, arrow) => {
      if (!levels.lane[spot]) return;
      last.set(spot, Math.max(last.get(spot) || 0, levels.level[levels.lower[arrow]]));
    });
    const lanes = new Map();
    if (!last.size) return lanes;
    const edge = new Float64Array(levels.rows);
    levels.level.forEach((level, vertex) => {
      edge[level] = Math.max(edge[level], x[vertex] + levels.width[vertex] / 2);
    });
    const passed = (spot) => last.get(spot) - levels.level[spot];
    const order = [...last.keys()].sort((a, b) => passed(a) - passed(b));
    for (const spot of order) {
      const all = lanes.size > MOST_LANES; // no picture of so many can be read; do not take for ever
      const end = all ? edge.length : last.get(spot);
      let furthest = -Infinity;
      for (let level = all ? 0 : levels.level[spot] + 1; level < end; level++) {
        furthest = Math.max(furthest, edge[level]);
      }
      lanes.set(spot, furthest + LANE_GAP);
      if (lanes.size <= MOST_LANES) {
        edge.fill(lanes.get(spot), all ? 0 : levels.level[spot] + 1, end);
      }
    }
    return lanes;
  }

  /** Give the points of every arrow, from its upper box to its lower one, then of the carried. */
  function routesOf(levels, sheet, x, bands, lanes, tracks) {
    const plain = levels.enters.length;
    const ends = endsOf(levels, sheet, x, lanes, tracks);
    const runs = runsOf(levels, x, lanes);
    const edge = (box, side) => bands.middle[box] + (side * sheet.height[box]) / 2;
    const routes = [];
    for (let arrow = 0; arrow < plain; arrow++) {
      const upper = levels.upper[arrow];
      const lower = levels.lower[arrow];
      const spot = levels.leaves[arrow];
      const first = levels.level[upper];
      const last = levels.level[lower];
      const route = [x[spot], edge(upper, 1), x[spot], bands.bottom[first]];
      if (last - first > 1) {
        const passed = runs.get(spot);
        for (let i = 0; i < passed.length && passed[i][0] < last; i++) {
          const more = i + 1 < passed.length && passed[i + 1][0] < last;
          const stop = more ? passed[i + 1][0] - 1 : last - 1;
          const [begin, at] = passed[i];
          route.push(at, bands.top[begin], at, bands.bottom[stop]);
        }
      }
      route.push(ends[arrow], bands.top[last], ends[arrow], edge(lower, -1));
      routes.push(route);
    }
    const ledBack = tracks.arrows.map(({ leaves, enters }, number) => {
      const upper = levels.owner[leaves];
      const lower = levels.owner[enters];
      const level = levels.level[lower];
      const below = TRACK_GAP * tracks.below.get(leaves);
      const above = TRACK_GAP * tracks.above.get(leaves + ":" + level);
      const low = bands.bottom[levels.level[leaves]] + FROM_BOX + below;
      const high = bands.top[level] - FROM_BOX - above;
      const lane = tracks.lane.get(leaves);
      const end = ends[plain + number];
      return [
        x[leaves], edge(upper, 1), x[leaves], low, lane, low, lane, high, end, high,
        end, edge(lower, -1),
      ];
    });
    return { routes, ledBack };
  }

  /** Give the straight pieces of each stem: the level each begins at, and where it lies. */
  function runsOf(levels, x, lanes) {
    const runs = new Map();
    levels.stem.forEach((first, spot) => {
      if (first < 0) return;
      const run = [];
      for (let bend = first; bend < levels.stemEnd[spot]; bend++) {
        if (!run.length || Math.abs(run[run.length - 1][1] - x[bend]) > STRAIGHT) {
          run.push([levels.level[bend], x[bend]]);
        }
      }
      runs.set(spot, run);
    });
    for (const [spot, lane] of lanes) runs.set(spot, [[levels.level[spot] + 1, lane]]);
    return runs;
  }

  /** Spread the arrows that enter a box along its upper side; a straight one stays so. */
  function endsOf(levels, sheet, x, lanes, tracks) {
    const plain = levels.enters.length;
    const enters = [...levels.enters, ...tracks.arrows.map((one) => one.enters)];
    const room = [...sheet.room, ...tracks.arrows.map((one) => one.room)];
    const origin = enters.map((_, arrow) => {
      if (arrow >= plain) return tracks.lane.get(tracks.arrows[arrow - plain].leaves);
      const stop = lastStop(levels, arrow);
      return stop >= 0 ? x[stop] : lanes.get(levels.leaves[arrow]);
    });
    const ends = enters.map((spot) => x[spot]);
    const entering = lists(levels.boxes);
    enters.forEach((box, arrow) => {
      if (box < levels.boxes) entering[box].push(arrow);
    });
    entering.forEach((arrows, box) => {
      if (!arrows.length) return;
      if (arrows.length > 1) arrows.sort((a, b) => origin[a] - origin[b] || a - b);
      let middle = -1;
      let wanted = room[arrows[0]];
      let straight = 0;
      arrows.forEach((arrow, i) => {
        wanted = Math.max(wanted, room[arrow]);
        if (Math.abs(origin[arrow] - x[box]) < STRAIGHT && !straight++) middle = i;
      });
      if (straight !== 1) middle = (arrows.length - 1) / 2;
      const side = Math.max(middle, arrows.length - 1 - middle);
      const half = Math.max(levels.width[box] / 2 - PORT_INSET, 0);
      const gap = side ? Math.min(Math.max(wanted, PORT_GAP), half / side) : 0;
      arrows.forEach((arrow, i) => {
        ends[arrow] = x[box] + (i - middle) * gap;
      });
    });
    return ends;
  }

  /** Leave out points that come twice, and those inside a vertical line. */
  function straightened(route) {
    const points = [route[0], route[1]];
    for (let i = 2; i < route.length; i += 2) {
      const [x, y] = [route[i], route[i + 1]];
      const end = points.length;
      if (x === points[end - 2] && y === points[end - 1]) continue;
      if (end > 2 && points[end - 4] === points[end - 2] && points[end - 2] === x) {
        points[end - 1] = y;
      } else points.push(x, y);
    }
    return points.length > 2 ? points : route.slice(0, 4);
  }

  // ---- Step 9: columns side by side -----------------------------------------------------------

  const SCREEN = 900;
  const BESIDE = 40;
  const ABOVE = 120;
  const MOST_SCALE = 1.3;
  const MOST_CROSSING = 3;
  const WORTH_IT = 1.15;
  const AS_GOOD = 0.97;
  const MOST_TRIES = 12;
  const DEEPEST = 3;
  const GUTTER = 18;
  const LINE_GAP = 10;
  const ABOVE_COLUMN = 16;
  const BELOW_COLUMN = 12;
  const SLIGHT = 1e-6;

  function scaleOn(screen, width, height) {
    return Math.min(
      screen.width / Math.max(width, 1), screen.height / Math.max(height, 1), MOST_SCALE
    );
  }

  /** Choose the levels at which columns begin, after the first one: those that read best. */
  function cutsFor(strip, screen) {
    const { bands, left, right } = strip;
    if (!bands.top.length) return NONE;
    const width = largest(right, -Infinity) - left.reduce((a, b) => Math.min(a, b));
    const height = bands.bottom[bands.bottom.length - 1];
    let best = scaleOn(screen, width, height);
    let cuts = NONE;
    if (best >= 1) return NONE;
    const crossing = crossingNets(strip);
    const shape = (height / Math.max(width, 1)) * screen.width / screen.height;
    const most = Math.ceil(2 * Math.sqrt(shape)) + 1;
    const tries = new Set();
    for (let i = 1; i <= MOST_TRIES; i++) tries.add(Math.max(2, Math.ceil((most * i) / MOST_TRIES)));
    let places = [];
    for (let allowed = 1; allowed <= MOST_CROSSING; allowed++) {
      const fewer = places.length;
      places = [];
      for (let level = 1; level < bands.top.length; level++) {
        if (crossing[level] <= allowed) places.push(level);
      }
      if (places.length === fewer || best * WORTH_IT >= MOST_SCALE) continue;
      const found = [...tries].map((count) => evenCuts(bands, places, count));
      const useful = found.filter((cut) => cut.length);
      const scales = useful.map((cut) => scaleOn(screen, ...sizeOf(strip, cut, crossing)));
      const top = largest(scales, 0);
      if (top > best * WORTH_IT) {
        best = top;
        cuts = useful[scales.findIndex((scale) => scale >= best * AS_GOOD)];
      }
    }
    return cuts;
  }

  /** Count the nets that pass from above each level to it; a carried one may not be cut. */
  function crossingNets(strip) {
    const count = strip.left.length;
    const { level } = strip.levels;
    const change = new Int32Array(count + 2);
    const last = new Map();
    strip.nets.forEach((net, arrow) => {
      if (net >= 0) last.set(net, Math.max(last.get(net) || 0, level[strip.homes[arrow]]));
    });
    for (const [net, end] of last) {
      change[level[net] + 1]++;
      change[end + 1]--;
    }
    for (const [first, end] of strip.kept) {
      change[first] += MOST_CROSSING + 1;
      change[Math.min(end + 2, count + 1)] -= MOST_CROSSING + 1;
    }
    for (let i = 1; i < change.length; i++) change[i] += change[i - 1];
    return change;
  }

  /** Cut into at most so many columns, the tallest of which is as small as can be. */
  function evenCuts(bands, places, count) {
    const height = bands.bottom[bands.bottom.length - 1];
    let low = height / count;
    let high = height;
    let best = NONE;
    while (high - low > 1) {
      const middle = (low + high) / 2;
      const cuts = cutsWithin(bands, places, middle, count);
      if (cuts.length) {
        best = cuts;
        high = tallestOf(bands, cuts);
      } else low = middle;
    }
    return best;
  }

  /** Fill columns up to a height, each as far as there is a place to cut; empty if it fails. */
  function cutsWithin({ top, bottom }, places, tallest, count) {
    const cuts = [];
    let begin = 0;
    let done = 0;
    while (bottom[bottom.length - 1] - top[begin] > tallest) {
      // The first level that is not in reach any more: the cut goes at or above it.
      const beyond = bisectRight(bottom, top[begin] + tallest, begin);
      const place = bisectRight(places, beyond, done) - 1;
      if (place < done || cuts.length + 2 > count) return NONE;
      begin = places[place];
      done = place + 1;
      cuts.push(begin);
    }
    return cuts;
  }

  function tallestOf({ top, bottom }, cuts) {
    let tallest = 0;
    let begin = 0;
    for (const end of [...cuts, top.length]) {
      tallest = Math.max(tallest, bottom[end - 1] - top[begin]);
      begin = end;
    }
    return tallest;
  }

  function sizeOf(strip, cuts, crossing) {
    let width = 0;
    let begin = 0;
    for (const end of [...cuts, strip.left.length]) {
      let least = Infinity;
      let most = -Infinity;
      for (let level = begin; level < end; level++) {
        least = Math.min(least, strip.left[level]);
        most = Math.max(most, strip.right[level]);
      }
      width += most - least;
      begin = end;
    }
    let gutters = 0;
    let lines = 0;
    for (const cut of cuts) {
      const more = Math.max(crossing[cut] - 1, 0);
      gutters += 2 * GUTTER + LINE_GAP * more;
      lines = Math.max(lines, more);
    }
    const beside = ABOVE_COLUMN + BELOW_COLUMN + 2 * LINE_GAP * lines;
    return [width + gutters, tallestOf(strip.bands, cuts) + beside];
  }

  /** Put columns side by side, the first one on the right where it is `mirrored`; see Wrap. */
  function wrapped(strip, cuts, mirrored) {
    const sign = mirrored ? -1 : 1;
    const { top, bottom } = strip.bands;
    const begins = [0, ...cuts];
    const crossed = crossedAt(strip, cuts, sign);
    const tallest = tallestOf(strip.bands, cuts);
    const nets = largest(crossed.map((one) => one.length), 0);
    const room = ABOVE_COLUMN + LINE_GAP * Math.max(nets - 1, 0);
    const right = [];
    const down = [];
    const lines = crossed.map(() => new Map());
    let lowest = -Infinity;
    let edge = 0;
    begins.forEach((begin, column) => {
      const end = column < cuts.length ? cuts[column] : top.length;
      let near = Infinity;
      let far = -Infinity;
      for (let level = begin; level < end; level++) {
        near = Math.min(near, sign * (mirrored ? strip.right : strip.left)[level]);
        far = Math.max(far, sign * (mirrored ? strip.left : strip.right)[level]);
      }
      right.push(edge - near);
      const tall = bottom[end - 1] - top[begin];
      down.push(room - top[begin] + (mirrored ? tallest - tall : 0));
      lowest = Math.max(lowest, bottom[end - 1] + down[column]);
      edge = right[column] + far;
      const here = column < crossed.length ? crossed[column] : NONE;
      here.forEach((net, place) => {
        lines[column].set(net, {
          deep: BELOW_COLUMN + LINE_GAP * place,
          aside: edge + GUTTER + LINE_GAP * place,
          high: ABOVE_COLUMN + LINE_GAP * (here.length - 1 - place),
        });
      });
      edge += 2 * GUTTER + LINE_GAP * Math.max(here.length - 1, 0);
    });
    return { strip, begins, right, down, lines, sign, lowest };
  }

  /** List the nets that cross each cut, the one nearest to the next column first. */
  function crossedAt(strip, cuts, sign) {
    const tops = cuts.map((cut) => strip.bands.top[cut]);
    const found = cuts.map(() => new Map());
    strip.routes.forEach((route, arrow) => {
      const net = strip.nets[arrow];
      if (net < 0) return;
      let before = bisectRight(tops, route[1] + SLIGHT);
      for (let i = 2; i < route.length; i += 2) {
        const after = bisectRight(tops, route[i + 1] + SLIGHT);
        for (; before < after; before++) found[before].set(net, route[i - 2]);
      }
    });
    return found.map((nets) =>
      [...nets.keys()].sort((a, b) => -sign * nets.get(a) - -sign * nets.get(b) || a - b)
    );
  }

  /** Give the way of every arrow, through gutters where it goes on in another column. */
  function wrappedRoutes(wrap) {
    const { strip, begins, right, down, lines, sign } = wrap;
    const tops = begins.map((level) => strip.bands.top[level]);
    return strip.routes.map((route, arrow) => {
      const net = strip.nets[arrow];
      const led = [];
      const move = (column, x, y) => led.push(sign * x + right[column], y + down[column]);
      if (net < 0) {
        const column = bisectRight(begins, strip.levels.level[strip.homes[arrow]]) - 1;
        for (let i = 0; i < route.length; i += 2) move(column, route[i], route[i + 1]);
        return led;
      }
      let before = -1;
      for (let i = 0; i < route.length; i += 2) {
        const column = bisectRight(tops, route[i + 1] + SLIGHT) - 1;
        for (let from = i ? before : column; from < column; from++) {
          const { deep, aside, high } = lines[from].get(net);
          const here = sign * route[i - 2] + right[from];
          const low = strip.bands.bottom[begins[from + 1] - 1] + down[from];
          const there = sign * route[i] + right[from + 1];
          const up = tops[from + 1] + down[from + 1];
          led.push(here, low, here, low + deep, aside, low + deep, aside, up - high, there, up - high);
        }
        before = column;
        move(column, route[i], route[i + 1]);
      }
      return led;
    });
  }

  // ---- Sheets by themselves -------------------------------------------------------------------

  /** Place the boxes and arrows of one sheet, its levels below each other; see Ribbon. */
  function layFlat(sheet) {
    const { plain, carried } = setApart(sheet);
    const levels = makeLevels(plain);
    const rows = orderLevels(levels);
    const x = placeColumns(levels, rows);
    const lanes = lanesBeside(levels, x);
    const tracks = layTracks(levels, x, carried, lanes);
    const bands = stackBands(levels, x, plain, tracks.gaps);
    const { routes, ledBack } = routesOf(levels, plain, x, bands, lanes, tracks);
    const nets = levels.leaves.slice();
    const homes = levels.lower.slice();
    const turned = levels.turned.slice();
    carried.forEach(({ arrow, enters }, number) => {
      routes.splice(arrow, 0, ledBack[number]);
      nets.splice(arrow, 0, -1);
      homes.splice(arrow, 0, levels.owner[enters]);
      turned.splice(arrow, 0, false);
    });
    const { left, right, span } = tracks;
    const strip = { levels, bands, routes, nets, homes, left, right, kept: [...span.values()] };
    return { sheet, strip, x: x.slice(0, levels.boxes), turned };
  }

  /** Leave the levels below each other, or cut them into columns to fit a screen. */
  function fitted(ribbon, screen, mirrored) {
    const { strip } = ribbon;
    const cuts = screen ? cutsFor(strip, screen) : NONE;
    if (!cuts.length) {
      const bottom = largest(strip.bands.bottom, 0);
      return spreadOf(ribbon, ribbon.x, strip.bands.middle, strip.routes, bottom, strip.kept.length);
    }
    const wrap = wrapped(strip, cuts, mirrored);
    const column = (box) => bisectRight(wrap.begins, strip.levels.level[box]) - 1;
    const x = ribbon.x.map((at, box) => wrap.sign * at + wrap.right[column(box)]);
    const y = strip.bands.middle.map((at, box) => at + wrap.down[column(box)]);
    const routes = wrappedRoutes(wrap);
    if (!mirrored) return spreadOf(ribbon, x, y, routes, wrap.lowest, 1);
    const turnedBack = routes.map((route) => route.map((at, i) => (i % 2 ? at : -at)));
    return spreadOf(ribbon, x.map((at) => -at), y, turnedBack, wrap.lowest, 1);
  }

  /** Move everything to begin at 0; an arrow that was turned around runs up again. */
  function spreadOf(ribbon, boxX, boxY, routes, bottom, beside) {
    let left = Infinity;
    let right = -Infinity;
    ribbon.sheet.width.forEach((width, box) => {
      left = Math.min(left, boxX[box] - width / 2);
      right = Math.max(right, boxX[box] + width / 2);
    });
    let top = 0;
    let height = bottom;
    for (const route of routes) {
      for (let i = 0; i < route.length; i += 2) {
        left = Math.min(left, route[i]);
        right = Math.max(right, route[i]);
        // Only lines beside the boxes may lie above or below all of them.
        if (beside) {
          top = Math.min(top, route[i + 1]);
          height = Math.max(height, route[i + 1]);
        }
      }
    }
    if (left === Infinity) left = right = 0;
    const moved = routes.map((route, arrow) => {
      const points = ribbon.turned[arrow] ? backwards(route) : route.slice();
      for (let i = 0; i < points.length; i += 2) {
        points[i] -= left;
        points[i + 1] -= top;
      }
      return points;
    });
    return {
      x: boxX.map((at) => at - left),
      y: boxY.map((at) => at - top),
      routes: moved,
      width: right - left,
      height: height - top,
    };
  }

  function backwards(route) {
    const points = [];
    for (let i = route.length - 2; i >= 0; i -= 2) points.push(route[i], route[i + 1]);
    return points;
  }

  // ---- Step 7: frames -------------------------------------------------------------------------

  const PAD = 12;
  const BELOW_HEAD = 6;
  const LABEL_PAD = 8;
  const LABEL_GAP = 6;

  /** A sheet before it is known how large the frames on it are; see Draft in sheets.py. */
  function newDraft() {
    return {
      size: 0,
      settled: 0,
      boxes: new Map(),
      frames: new Map(),
      entry: new Map(),
      exit: new Map(),
      ports: [],
      portOf: new Map(),
      led: new Map(),
      upper: [],
      lower: [],
      leaves: [],
      enters: [],
      given: [],
      carried: [],
    };
  }

  function onFrame(draft, frame, net) {
    const key = frame + ":" + net;
    if (!draft.portOf.has(key)) {
      draft.portOf.set(key, draft.ports.length);
      draft.ports.push({ frame, net });
    }
    return [draft.frames.get(frame), draft.portOf.get(key)];
  }

  function fromAbove(draft, net) {
    if (!draft.entry.has(net)) draft.entry.set(net, draft.size++);
    return [draft.entry.get(net), -1];
  }

  function lead(draft, start, end, given, carried) {
    draft.upper.push(start[0]);
    draft.leaves.push(start[1]);
    draft.lower.push(end[0]);
    draft.enters.push(end[1]);
    draft.carried.push(carried);
    return draft.given.push(given) - 1;
  }

  /** Draw a net to a border, once for all its arrows. */
  function leadOnce(draft, key, start, end) {
    if (!draft.led.has(key)) draft.led.set(key, lead(draft, start, end(), -1, false));
    return draft.led.get(key);
  }

  /** Make the sheets of a diagram, that of the whole picture last, and each arrow's way over them. */
  function takeApart({ group, parent, upper, lower, carried }) {
    const drafts = upTo(parent.length + 1).map(newDraft);
    const draftOf = (frame) => drafts[frame < 0 ? parent.length : frame];
    const addFrame = (start) => {
      for (let frame = start; frame >= 0; frame = parent[frame]) {
        const around = draftOf(parent[frame]);
        if (around.frames.has(frame)) break;
        around.frames.set(frame, around.size++);
      }
    };
    group.forEach((frame, box) => {
      addFrame(frame);
      const draft = draftOf(frame);
      draft.boxes.set(box, draft.size++);
    });
    for (let frame = 0; frame < parent.length; frame++) addFrame(frame);
    const depth = [];
    for (const outer of parent) depth.push(outer < 0 ? 1 : depth[outer] + 1);
    const ways = new Array(upper.length);
    for (const last of [false, true]) {
      for (const draft of drafts) draft.settled = draft.size;
      for (let arrow = 0; arrow < upper.length; arrow++) {
        if (carried[arrow] !== last) continue;
        let out = group[upper[arrow]];
        let into = group[lower[arrow]];
        if (out === into) {
          const { boxes } = draftOf(out);
          const ends = [upper[arrow], lower[arrow]].map((box) => [boxes.get(box), -1]);
          ways[arrow] = [out, lead(draftOf(out), ends[0], ends[1], arrow, last)];
          continue;
        }
        const left = [];
        const entered = [];
        while (out !== into) {
          if (out >= 0 && (into < 0 || depth[out] >= depth[into])) {
            left.push(out);
            out = parent[out];
          } else {
            entered.push(into);
            into = parent[into];
          }
        }
        entered.push(out);
        ways[arrow] = wayOver(draftOf, arrow, upper[arrow], lower[arrow], left, entered.reverse(), last);
      }
    }
    return { draftOf, ways };
  }

  /** Lead an arrow out of the frames that it leaves, and from the first of the others inwards. */
  function wayOver(draftOf, arrow, net, box, left, entered, carried) {
    const way = [];
    let inner = -1;
    const begin = (draft) =>
      inner < 0 ? [draft.boxes.get(net), -1] : onFrame(draft, inner, net);
    for (const frame of left) {
      const draft = draftOf(frame);
      const start = begin(draft);
      const leg = leadOnce(draft, net + ":out", start, () => {
        draft.exit.set(net, draft.size++);
        return [draft.exit.get(net), -1];
      });
      way.push(frame, leg);
      inner = frame;
    }
    entered.forEach((frame, place) => {
      const draft = draftOf(frame);
      const start = place ? fromAbove(draft, net) : begin(draft);
      const further = place + 1 < entered.length ? entered[place + 1] : -1;
      if (further < 0) {
        const back = carried && !place;
        way.push(frame, lead(draft, start, [draft.boxes.get(box), -1], arrow, back));
      } else if (carried && !place) {
        way.push(frame, lead(draft, start, onFrame(draft, further, net), -1, true));
      } else {
        way.push(frame, leadOnce(draft, net + ":" + further, start, () => onFrame(draft, further, net)));
      }
    });
    return way;
  }

  /** Count the boxes before and behind each one, and in each frame, on the longest ways. */
  function measureWays({ group, parent, upper, lower, carried }) {
    if (!parent.length) return { above: [], below: [], through: [] };
    const plain = (ends) => ends.filter((_, arrow) => !carried[arrow]);
    const boxes = group.length;
    const { up, low } = withoutCycles(boxes, plain(upper), plain(lower));
    const below = longestWaysDown(boxes, up, low);
    const above = longestWaysDown(boxes, low, up).map((height) => height + 1);
    const least = filled(parent.length, boxes);
    const most = filled(parent.length, 0);
    group.forEach((frame, box) => {
      if (frame < 0) return;
      least[frame] = Math.min(least[frame], below[box]);
      most[frame] = Math.max(most[frame], below[box]);
    });
    for (let frame = parent.length - 1; frame >= 0; frame--) {
      const outer = parent[frame];
      if (outer < 0) continue;
      least[outer] = Math.min(least[outer], least[frame]);
      most[outer] = Math.max(most[outer], most[frame]);
    }
    return { above, below, through: most.map((last, frame) => last - least[frame] + 1) };
  }

  /** Make a frame's sheet, once all frames in it are laid out. */
  function sheetOf({ diagram, sheets, ways }, frame, insides) {
    const draft = sheets.draftOf(frame);
    const width = filled(draft.size, 0);
    const height = filled(draft.size, 0);
    const weight = filled(draft.size, 1);
    for (const [box, item] of draft.boxes) {
      width[item] = diagram.width[box];
      height[item] = diagram.height[box];
    }
    for (const [inner, item] of draft.frames) {
      width[item] = insides[inner].width;
      height[item] = insides[inner].height;
      weight[item] = ways.through[inner];
    }
    for (const [passages, boxes] of [[draft.entry, ways.above], [draft.exit, ways.below]]) {
      let least = Infinity;
      for (const [net, item] of passages) {
        if (item < draft.settled) least = Math.min(least, boxes[net]);
      }
      for (const [net, item] of passages) {
        if (item < draft.settled) weight[item] = draft.size + boxes[net] - least;
      }
    }
    const at = draft.ports.map(({ frame: inner, net }) => {
      const inside = insides[inner];
      const { entry, exit } = sheets.draftOf(inner);
      const place = inside.spread.x[entry.has(net) ? entry.get(net) : exit.get(net)];
      return inside.left + place - inside.width / 2;
    });
    return {
      width,
      height,
      upper: draft.upper,
      lower: draft.lower,
      room: draft.given.map((arrow) => (arrow >= 0 && diagram.room.length ? diagram.room[arrow] : 0)),
      port: draft.ports.map((port) => draft.frames.get(port.frame)),
      at,
      leaves: draft.leaves,
      enters: draft.enters,
      first: [...draft.entry.values()],
      last: [...draft.exit.values()],
      weight,
      frames: [...draft.frames.values()],
      carried: draft.carried,
    };
  }

  /** Lay out a frame's sheet; what looks the same is laid out once. */
  function spreadOfFrame(task, frame, insides, screen) {
    const sheet = sheetOf(task, frame, insides);
    if (!task.diagram.parent.length) return fitted(layFlat(sheet), screen, task.turned);
    const look = JSON.stringify(sheet);
    if (!task.ribbons.has(look)) task.ribbons.set(look, layFlat(sheet));
    const key = look + (screen ? "wrapped" : "");
    if (!task.spreads.has(key)) {
      task.spreads.set(key, fitted(task.ribbons.get(look), screen, task.turned));
    }
    return task.spreads.get(key);
  }

  /** Put a frame around a sheet, with room for its label on top, or below where it is turned. */
  function insideOf(task, frame, insides, screen) {
    const spread = spreadOfFrame(task, frame, insides, screen);
    const [headWidth, headHeight] = task.diagram.head[frame];
    const draft = task.sheets.draftOf(frame);
    const width = Math.max(spread.width, headWidth) + 2 * PAD;
    const left = (width - spread.width) / 2;
    const passed = [...(task.turned ? draft.exit : draft.entry).values()];
    const places = passed.map((item) => left + spread.x[item]).sort((a, b) => a - b);
    const clear = [LABEL_PAD, ...places.map((place) => place + LABEL_GAP)].find((start) =>
      start + headWidth <= width - LABEL_PAD &&
      !places.some((at) => -LABEL_GAP < at - start && at - start < headWidth + LABEL_GAP)
    );
    const head = headHeight + BELOW_HEAD;
    return {
      spread,
      width,
      height: spread.height + head + PAD,
      left,
      top: task.turned ? PAD : head,
      label: clear === undefined ? LABEL_PAD : clear,
    };
  }

  /** Lay out the sheets of all frames, those that lie less deep than this to fit a screen. */
  function layInsides(task, screen, depth, known) {
    const { depths } = task;
    const insides = known ? known.slice() : new Array(depths.length);
    for (let frame = depths.length - 1; frame >= 0; frame--) {
      if (depths[frame] < depth || !insides[frame]) {
        insides[frame] = insideOf(task, frame, insides, depths[frame] < depth ? screen : null);
      }
    }
    const spread = spreadOfFrame(task, -1, insides, screen);
    const { width, height } = spread;
    return { insides, whole: { spread, width, height, left: 0, top: 0, label: 0 } };
  }

  /** Move each sheet to its place on the one around it, and join the arrows. */
  function putTogether({ diagram, sheets }, { insides, whole }) {
    const inside = (frame) => (frame < 0 ? whole : insides[frame]);
    const corners = [];
    const corner = (frame) => (frame < 0 ? [0, 0] : corners[frame]);
    const frames = diagram.parent.map((outer, frame) => {
      const { width, height, left, top, label } = insides[frame];
      const around = inside(outer).spread;
      const item = sheets.draftOf(outer).frames.get(frame);
      const x = corner(outer)[0] + around.x[item] - width / 2;
      const y = corner(outer)[1] + around.y[item] - height / 2;
      corners.push([x + left, y + top]);
      return { x, y, width, height, label: x + label };
    });
    const x = filled(diagram.width.length, 0);
    const y = filled(diagram.width.length, 0);
    for (let frame = -1; frame < diagram.parent.length; frame++) {
      const [left, top] = corner(frame);
      for (const [box, item] of sheets.draftOf(frame).boxes) {
        x[box] = left + inside(frame).spread.x[item];
        y[box] = top + inside(frame).spread.y[item];
      }
    }
    const routes = sheets.ways.map((way) => {
      const route = [];
      for (let i = 0; i < way.length; i += 2) {
        const [left, top] = corner(way[i]);
        const leg = inside(way[i]).spread.routes[way[i + 1]];
        for (let j = 0; j < leg.length; j += 2) route.push(left + leg[j], top + leg[j + 1]);
      }
      // Where two pieces meet, two sums that are to be equal may not quite be.
      if (way.length > 2) for (let i = 0; i < route.length; i++) route[i] = round6(route[i]);
      return route;
    });
    return { x, y, routes, width: whole.width, height: whole.height, frames };
  }

  /** Place the boxes, arrows and frames of a diagram, each arrow from its upper box. */
  function layFramed(diagram, turned, screen) {
    const depths = [];
    for (const outer of diagram.parent) depths.push(outer < 0 ? 0 : depths[outer] + 1);
    const task = {
      diagram,
      sheets: takeApart(diagram),
      ways: measureWays(diagram),
      turned,
      depths,
      ribbons: new Map(),
      spreads: new Map(),
    };
    const unwrapped = layInsides(task, screen, 0, null);
    let best = unwrapped;
    const deepest = screen ? Math.min(largest(depths, -1) + 1, DEEPEST) : 0;
    for (let depth = 1; depth <= deepest; depth++) {
      const scale = scaleOn(screen, best.whole.width, best.whole.height);
      if (scale >= 1) break;
      const tried = layInsides(task, screen, depth, unwrapped.insides);
      if (scaleOn(screen, tried.whole.width, tried.whole.height) > scale * WORTH_IT) best = tried;
    }
    return putTogether(task, best);
  }

  // ---- The whole ------------------------------------------------------------------------------

  /** Place boxes, arrows and frames; `reverse` turns the picture upside down, the arrows around. */
  function layOut(given, { reverse = false, aspect = null } = {}) {
    const list = (values, none) => (values && values.length ? Array.from(values) : none);
    const diagram = {
      width: Array.from(given.width),
      height: Array.from(given.height),
      upper: Array.from(given.upper),
      lower: Array.from(given.lower),
      room: list(given.room, []),
      group: list(given.group, filled(given.width.length, -1)),
      parent: list(given.parent, []),
      head: list(given.head, []),
      carried: list(given.carried, filled(given.upper.length, false)).map(Boolean),
    };
    const screen = aspect === null
      ? null
      : { width: SCREEN * aspect - BESIDE, height: SCREEN - ABOVE };
    const layout = layFramed(diagram, reverse, screen);
    const across = round1;
    const down = reverse ? (y) => round1(layout.height - y) : round1;
    const routes = layout.routes.map((route) => {
      for (let i = 0; i < route.length; i += 2) {
        route[i] = across(route[i]);
        route[i + 1] = down(route[i + 1]);
      }
      const points = straightened(route);
      return reverse ? backwards(points) : points;
    });
    return {
      x: layout.x.map(across),
      y: layout.y.map(down),
      routes,
      width: round1(layout.width),
      height: round1(layout.height),
      frames: layout.frames.map(({ x, y, width, height, label }) => ({
        x: across(x),
        y: down(reverse ? y + height : y),
        width: round1(width),
        height: round1(height),
        label: round1(label),
      })),
    };
  }

  // ---- Text -----------------------------------------------------------------------------------

  // Advance widths in thousandths of an em for U+0020 to U+007E, those of layout/text.py.
  const ADVANCES = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
    636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
    1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
    603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
    500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
  ];
  const WIDE = 1000;
  const OTHER = 700;
  const learned = new Map();

  /** Take over the widths of characters beyond ASCII, in thousandths of an em, by character. */
  function learnWidths(widths) {
    for (const [char, width] of Object.entries(widths)) learned.set(char, width);
  }

  /** Give the width of a line of text at this font size, in the same unit. */
  function textWidth(text, size) {
    let width = 0;
    for (const char of text) {
      const place = char.codePointAt(0) - 32;
      if (place >= 0 && place < ADVANCES.length) width += ADVANCES[place];
      else width += learned.has(char) ? learned.get(char) : unusualWidth(char);
    }
    return (width * size) / 1000;
  }

  /** Guess the width of a character that nobody told of. */
  function unusualWidth(char) {
    if (/[\p{Mn}\p{Me}]/u.test(char)) return 0;
    return /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}…·×→]/u.test(char) ? WIDE : OTHER;
  }

  return { layOut, textWidth, learnWidths };
})();

if (typeof module === "object" && module) module.exports = { layOut, textWidth, learnWidths };
