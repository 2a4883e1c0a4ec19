/*
 * Layout: boxes on levels, arrows running down, frames around boxes.
 *
 * layOut(diagram, options) takes
 *   width, height   per box
 *   upper, lower    per arrow, its ends; the upper box is drawn above the lower one
 *   carried         per arrow, whether it leads against the flow
 *   group           per box, the innermost frame around it, -1 for none
 *   parent          per frame, the one around it, a smaller number, -1 for none
 *   head            per frame, [width, height] kept free for its label
 * and gives x, y per box (its centre), routes per arrow ([[x, y], ...]), frames
 * ({x, y, width, height, label}), width and height of all. `options.aspect` wraps a long ribbon of
 * levels into columns, so that it has about this width per height.
 */
'use strict';

function layOut(diagram, options = {}) {
  const { width, height, upper, lower, group, parent, head } = diagram;
  const boxes = width.length, frames = parent.length, total = boxes + frames;
  const ACROSS = 20, DOWN = 30, ROOM = 14;
  const around = new Int32Array(total);
  for (let box = 0; box < boxes; box++) around[box] = group[box];
  for (let frame = 0; frame < frames; frame++) around[boxes + frame] = parent[frame];
  const depth = new Int32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    depth[frame] = parent[frame] < 0 ? 1 : depth[parent[frame]] + 1;
  }
  const w = Float64Array.from({ length: total }, (_, i) => (i < boxes ? width[i] : 0));
  const h = Float64Array.from({ length: total }, (_, i) => (i < boxes ? height[i] : 0));
  const dx = new Float64Array(total), dy = new Float64Array(total); // middle, in the frame around
  const inside = Array.from({ length: frames + 1 }, () => []);
  const links = Array.from({ length: frames + 1 }, () => []);
  for (let item = 0; item < total; item++) inside[around[item] + 1].push(item);
  const depthOf = (frame) => (frame < 0 ? 0 : depth[frame]);
  for (let arrow = 0; arrow < upper.length; arrow++) {
    if (diagram.carried && diagram.carried[arrow]) continue;
    let one = upper[arrow], other = lower[arrow];
    while (around[one] !== around[other]) {
      if (depthOf(around[one]) >= depthOf(around[other])) one = boxes + around[one];
      else other = boxes + around[other];
    }
    if (one !== other) links[around[one] + 1].push([one, other]);
  }
  for (let sheet = frames; sheet >= 0; sheet--) {
    const size = laySheet(inside[sheet], links[sheet], options.aspect);
    if (sheet > 0) {
      const frame = boxes + sheet - 1, [headWide, headTall] = head[sheet - 1];
      w[frame] = Math.max(size.width + 2 * ROOM, headWide + 24);
      h[frame] = size.height + 2 * ROOM + headTall + 6;
      for (const item of inside[sheet]) {
        dx[item] += (w[frame] - size.width) / 2;
        dy[item] += ROOM + headTall + 6;
      }
    } else {
      w.whole = size;
    }
  }
  // From the outside in: a frame comes before those in it, and before all boxes.
  const x = new Float64Array(total), y = new Float64Array(total);
  const settle = (item) => {
    const outer = around[item] < 0 ? -1 : boxes + around[item];
    x[item] = dx[item] + (outer < 0 ? 0 : x[outer] - w[outer] / 2);
    y[item] = dy[item] + (outer < 0 ? 0 : y[outer] - h[outer] / 2);
  };
  for (let frame = 0; frame < frames; frame++) settle(boxes + frame);
  for (let box = 0; box < boxes; box++) settle(box);
  const routes = [];
  for (let arrow = 0; arrow < upper.length; arrow++) {
    const a = upper[arrow], b = lower[arrow];
    const from = y[a] + h[a] / 2, to = y[b] - h[b] / 2;
    if (from <= to) {
      routes.push([[x[a], from], [x[b], to]]);
    } else {
      const side = Math.max(x[a] + w[a] / 2, x[b] + w[b] / 2) + 12;
      routes.push([[x[a], from], [side, from + 10], [side, to - 10], [x[b], to]]);
    }
  }
  return {
    x: x.slice(0, boxes), y: y.slice(0, boxes), routes,
    width: w.whole.width, height: w.whole.height,
    frames: Array.from({ length: frames }, (_, frame) => {
      const item = boxes + frame;
      return {
        x: x[item] - w[item] / 2, y: y[item] - h[item] / 2,
        width: w[item], height: h[item], label: x[item] - w[item] / 2 + 8,
      };
    }),
  };

  function laySheet(items, arrows, aspect) {
    const place = new Map(items.map((item, at) => [item, at]));
    const count = items.length;
    const ups = Array.from({ length: count }, () => []), downs = Array.from({ length: count }, () => []);
    const waiting = new Int32Array(count);
    for (const [one, other] of arrows) {
      downs[place.get(one)].push(place.get(other));
      ups[place.get(other)].push(place.get(one));
      waiting[place.get(other)]++;
    }
    const rank = new Int32Array(count), ready = [];
    for (let at = 0; at < count; at++) if (!waiting[at]) ready.push(at);
    for (let next = 0; next < ready.length; next++) {
      for (const below of downs[ready[next]]) {
        rank[below] = Math.max(rank[below], rank[ready[next]] + 1);
        if (!--waiting[below]) ready.push(below);
      }
    }
    for (let at = count - 1; at >= 0; at--) { // what nothing feeds lies right above its user
      if (!ups[at].length && downs[at].length) rank[at] = Math.min(...downs[at].map((b) => rank[b])) - 1;
    }
    const levels = [];
    for (let at = 0; at < count; at++) (levels[rank[at]] ||= []).push(at);
    const slot = new Float64Array(count);
    const note = (level) => level.forEach((at, n) => { slot[at] = n - (level.length - 1) / 2; });
    levels.forEach(note);
    for (let round = 0; round < 4; round++) {
      for (let n = 0; n < levels.length; n++) {
        const level = levels[round % 2 ? levels.length - 1 - n : n];
        if (!level || level.length < 2) continue;
        const near = round % 2 ? downs : ups;
        const mean = new Map(level.map((at) => [at, near[at].length
          ? near[at].reduce((sum, o) => sum + slot[o], 0) / near[at].length : slot[at]]));
        level.sort((a, b) => mean.get(a) - mean.get(b) || a - b);
        note(level);
      }
    }
    const sheetX = new Float64Array(count), sheetY = new Float64Array(count);
    const widths = levels.map((level) => level.reduce((sum, at) => sum + w[items[at]] + ACROSS, -ACROSS));
    const talls = levels.map((level) => Math.max(0, ...level.map((at) => h[items[at]])) + DOWN);
    const tall = talls.reduce((a, b) => a + b, 0);
    const widest = Math.max(0, ...widths);
    const columns = aspect && levels.length >= 12
      ? Math.max(1, Math.round(Math.sqrt((tall / (widest + 60)) * aspect))) : 1;
    let left = 0, y = 0, column = 0, most = 0;
    levels.forEach((level, n) => {
      if (y > 0 && column < columns - 1 && y + talls[n] > tall / columns + DOWN) {
        left += widest + 60; y = 0; column++;
      }
      let x = left + (widest - widths[n]) / 2;
      for (const at of level) {
        sheetX[at] = x + w[items[at]] / 2;
        sheetY[at] = y + (talls[n] - DOWN) / 2;
        x += w[items[at]] + ACROSS;
      }
      y += talls[n];
      most = Math.max(most, y);
    });
    items.forEach((item, at) => { dx[item] = sheetX[at]; dy[item] = sheetY[at]; });
    return { width: left + widest, height: Math.max(0, most - DOWN) };
  }
}

if (typeof module !== 'undefined') module.exports = { layOut };
