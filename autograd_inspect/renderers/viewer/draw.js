/*
 * Draw: a picture on a canvas, as much of it as is in view and as fine as can be seen.
 *
 * Near: boxes with text and arrows. Farther: text and then arrows are left out. Farthest, or where
 * there are too many boxes to stroke one by one, `overview.js` sets pixels.
 */
"use strict";

const LEGIBLE = 5; // pixels of a heading below which no text is drawn
const MOST_BOXES = 2500,
  MOST_ARROWS = 6000,
  LEAST_ARROW_SCALE = 0.06;
const STUB = 7,
  MOST_STUBS = 4;

class Painter {
  constructor(graph, boxes) {
    this.graph = graph;
    this.boxes = boxes;
    this.fonts = graph.facts.fonts;
  }

  /**
   * Draw what a view shows. `view` is {x, y, scale, width, height}: the point of the picture in the
   * upper left corner, and the size in CSS pixels; `marks` says what stands out.
   */
  paint(context, ratio, picture, view, look, marks) {
    const { palette } = look;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = palette.paper;
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    const area = [
      view.x,
      view.y,
      view.x + view.width / view.scale,
      view.y + view.height / view.scale,
    ];
    const boxes = picture.boxGrid.within(...area, MOST_BOXES);
    const scale = view.scale * ratio;
    if (!boxes) {
      overview(context, picture, { x: view.x, y: view.y, scale }, look, marks);
    } else {
      context.setTransform(scale, 0, 0, scale, -view.x * scale, -view.y * scale);
      this.frames(context, picture, area, view, look);
      if (view.scale >= LEAST_ARROW_SCALE) this.arrows(context, picture, area, view, look, marks);
      for (const box of boxes) this.box(context, picture, box, view, look, marks);
    }
    context.setTransform(scale, 0, 0, scale, -view.x * scale, -view.y * scale);
    this.outlined(context, picture, view, look, marks);
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  frames(context, picture, area, view, { palette }) {
    for (const frame of picture.framesWithin(area)) {
      context.beginPath();
      context.roundRect(frame.x, frame.y, frame.width, frame.height, 8);
      context.fillStyle = palette.frames[frame.depth % 2];
      context.fill();
      context.strokeStyle = palette.line;
      context.lineWidth = Math.max(1, 0.7 / view.scale);
      context.stroke();
      if (view.scale * FRAME_LABEL < LEGIBLE) continue;
      context.fillStyle = palette.quiet;
      context.textAlign = "left";
      context.textBaseline = "alphabetic";
      context.font = `bold ${FRAME_LABEL}px ${this.fonts}`;
      context.fillText(frame.label, frame.labelX, frame.y + FRAME_LABEL * LEADING);
      if (frame.repeat >= 0) this.pager(context, frame, palette);
    }
  }

  /** Draw `‹ 3/12 ›` behind the label of a repeat's frame. */
  pager(context, frame, palette) {
    const { x, y, width, height } = pagerPlace(frame, this.boxes);
    context.textAlign = "center";
    context.fillStyle = palette.text;
    const middle = y + FRAME_LABEL * LEADING - 3;
    const times = this.graph.folds.times[frame.repeat];
    const text = frame.shown === ALL ? `all ${times}` : `${frame.shown + 1}/${times}`;
    context.fillText("\u2039", x + 7, middle);
    context.fillText(text, x + width / 2, middle);
    context.fillText("\u203a", x + width - 7, middle);
    context.strokeStyle = palette.line;
    context.strokeRect(x, y, width, height);
  }

  arrows(context, picture, [left, top, right, bottom], view, { palette }, marks) {
    const arrows = picture.arrowGrid.within(left, top, right, bottom, MOST_ARROWS);
    if (!arrows) return;
    const { scene } = picture;
    const width = Math.max(1, 0.8 / view.scale);
    const plain = new Path2D(),
      dashed = new Path2D(),
      strong = new Path2D(),
      heads = new Path2D();
    const marked = new Path2D();
    for (const arrow of arrows) {
      const onPath = marks.arrows.has(arrow);
      const path = onPath ? strong : scene.carried[arrow] ? dashed : plain;
      trace(path, picture, arrow);
      head(onPath ? marked : heads, picture, arrow);
    }
    context.lineWidth = width;
    context.strokeStyle = context.fillStyle = palette.arrow;
    context.stroke(plain);
    context.setLineDash([5, 4]);
    context.stroke(dashed);
    context.setLineDash([]);
    context.fill(heads);
    context.strokeStyle = context.fillStyle = palette.boxes.root[1];
    context.lineWidth = 3 * width;
    context.stroke(strong);
    context.fill(marked);
    context.lineWidth = width;
    if (view.scale * LINE >= LEGIBLE) this.counts(context, picture, arrows, palette);
  }

  /** Write how many uses an arrow stands for, where it is several. */
  counts(context, picture, arrows, palette) {
    context.font = `9px ${this.fonts}`;
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    context.fillStyle = palette.quiet;
    for (const arrow of arrows) {
      const again = picture.scene.carried[arrow];
      if (!again) continue;
      const at = picture.routeStart[arrow + 1] - 2;
      context.fillText("\u21bb", picture.points[at] + 5, picture.points[at + 1] - 4);
    }
  }

  box(context, picture, box, view, look, marks) {
    const { scene } = picture,
      { palette } = look;
    const row = scene.row[box],
      fold = scene.fold[box];
    const [left, top] = picture.boxBounds(box);
    const width = picture.w[box],
      height = picture.h[box];
    const role = this.boxes.role(row, fold);
    const repeated = fold >= 0 && this.graph.folds.kind[fold] === REPEAT;
    context.lineWidth = Math.max(
      marks.tied.has(box) ? 3 : role === "root" ? 2 : 1,
      0.7 / view.scale,
    );
    context.strokeStyle = marks.tied.has(box) ? palette.boxes.custom[1] : palette.boxes[role][1];
    context.fillStyle = look.fill(row, fold, role);
    if (repeated) {
      context.beginPath();
      context.roundRect(left + 4, top - 4, width, height, 5);
      context.fill();
      context.stroke();
    }
    context.beginPath();
    context.roundRect(left, top, width, height, role === "custom" ? 0 : 5);
    context.fill();
    context.stroke();
    if (view.scale * HEADING < LEGIBLE) return;
    this.boxText(context, picture, box, look);
    const unfed = row >= 0 ? this.graph.rows.unfed[row] : 0;
    if (unfed) this.stubs(context, picture, box, unfed, palette);
  }

  boxText(context, picture, box, { palette, heat }) {
    const { scene } = picture;
    const lines = this.boxes.lines(scene.row[box], scene.fold[box]);
    const figure = heat.text(scene.row[box], scene.fold[box]);
    if (figure && lines.length > 1) lines[1] = figure;
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.fillStyle = palette.text;
    context.font = `${scene.fold[box] >= 0 ? "bold " : ""}${HEADING}px ${this.fonts}`;
    let y = picture.y[box] - picture.h[box] / 2 + PAD_Y + HEADING * LEADING * 0.8;
    const room = picture.w[box] - PAD_X;
    context.fillText(lines[0], picture.x[box], y, room);
    context.font = `${LINE}px ${this.fonts}`;
    if (!figure) context.fillStyle = palette.quiet;
    for (const line of lines.slice(1)) {
      y += LINE * LEADING;
      context.fillText(line, picture.x[box], y, room);
    }
  }

  /** Draw a short open end where arrows enter, for each input that needed no gradient. */
  stubs(context, picture, box, count, palette) {
    const [left, top, , bottom] = picture.boxBounds(box),
      below = this.graph.facts.reverse;
    const side = below ? bottom : top,
      end = side + (below ? STUB : -STUB);
    context.strokeStyle = palette.arrow;
    context.lineWidth = 1;
    for (let at = 0; at < Math.min(count, MOST_STUBS); at++) {
      const x = left + 8 + 7 * at;
      context.beginPath();
      context.moveTo(x, side);
      context.lineTo(x, end);
      context.moveTo(x + 2, end);
      context.arc(x, end, 2, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  /** Draw a flag at the corner of a box in which something was found to be wrong. */
  flag(context, picture, box, view, palette) {
    const [, top, right] = picture.boxBounds(box),
      size = Math.max(8, 4 / view.scale);
    context.beginPath();
    context.arc(right, top, size, 0, 2 * Math.PI);
    context.fillStyle = palette.boxes.custom[1];
    context.fill();
    if (view.scale * HEADING < LEGIBLE) return;
    context.fillStyle = palette.paper;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `bold 12px ${this.fonts}`;
    context.fillText("!", right, top + 0.5);
  }

  /** Draw around what is selected, on the path or pointed at, however small it is. */
  outlined(context, picture, view, { palette }, marks) {
    const wide = 2 / view.scale;
    const around = (left, top, width, height, color, line) => {
      context.strokeStyle = color;
      context.lineWidth = line * wide;
      context.strokeRect(
        left - line * wide,
        top - line * wide,
        width + 2 * line * wide,
        height + 2 * line * wide,
      );
    };
    const boxed = (box, color, line) => {
      const [left, top] = picture.boxBounds(box);
      around(left, top, picture.w[box], picture.h[box], color, line);
    };
    for (const box of marks.found) this.flag(context, picture, box, view, palette);
    for (const box of marks.path) boxed(box, palette.boxes.root[1], 1);
    if (marks.hovered >= 0) boxed(marks.hovered, palette.arrow, 0.5);
    if (marks.selected >= 0) boxed(marks.selected, palette.boxes.leaf[1], 1.5);
    const frame = picture.frames[marks.frame];
    if (frame) around(frame.x, frame.y, frame.width, frame.height, palette.boxes.leaf[1], 1.5);
  }
}

/** Where the pager of a repeat's frame is. */
function pagerPlace(frame, boxes) {
  const x = frame.labelX + boxes.widthOf(frame.label, FRAME_LABEL) + 10;
  return { x, y: frame.y + 3, width: frame.pager, height: 15 };
}

/** Add a route to a path: straight where it stays vertical, else curved with vertical ends. */
function trace(path, picture, arrow) {
  const { points } = picture;
  let at = picture.routeStart[arrow];
  const end = picture.routeStart[arrow + 1];
  let x = points[at],
    y = points[at + 1];
  path.moveTo(x, y);
  for (at += 2; at < end; at += 2) {
    const nextX = points[at],
      nextY = points[at + 1],
      middle = (y + nextY) / 2;
    if (x === nextX || y === nextY) path.lineTo(nextX, nextY);
    else path.bezierCurveTo(x, middle, nextX, middle, nextX, nextY);
    x = nextX;
    y = nextY;
  }
}

/** Add the head of an arrow; arrows end downwards, on the upper side of a box. */
function head(path, picture, arrow) {
  const at = picture.routeStart[arrow + 1] - 2;
  const x = picture.points[at],
    y = picture.points[at + 1];
  path.moveTo(x, y);
  path.lineTo(x - 3.5, y - 7);
  path.lineTo(x + 3.5, y - 7);
  path.closePath();
}
