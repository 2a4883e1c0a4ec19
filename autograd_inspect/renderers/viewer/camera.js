/*
 * Camera: which part of a picture is in view, and how large.
 */
"use strict";

const LEAST_SCALE = 0.00001,
  MOST_SCALE = 6,
  FIT_SCALE = 1.3,
  READING_SCALE = 0.8,
  MARGIN = 24;

class Camera {
  /** `moved` is called after each move. */
  constructor(moved) {
    Object.assign(this, { moved, x: 0, y: 0, scale: 1, width: 1, height: 1 });
  }

  /** The part of the picture in view: left, top, right, bottom. */
  get area() {
    const { x, y, scale, width, height } = this;
    return [x, y, x + width / scale, y + height / scale];
  }

  get middle() {
    const [left, top, right, bottom] = this.area;
    return { x: (left + right) / 2, y: (top + bottom) / 2, scale: this.scale };
  }

  fit(picture) {
    const wide = (this.width - 2 * MARGIN) / picture.width;
    const tall = (this.height - 2 * MARGIN) / picture.height;
    const scale = Math.min(wide, tall, FIT_SCALE);
    this.centerAt({ x: picture.width / 2, y: picture.height / 2, scale });
  }

  centerAt({ x, y, scale = this.scale }) {
    this.scale = limited(scale);
    this.x = x - this.width / this.scale / 2;
    this.y = y - this.height / this.scale / 2;
    this.moved();
  }

  /** Zoom by a factor and keep a point of the canvas in its place. */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const scale = limited(this.scale * factor);
    this.x += x / this.scale - x / scale;
    this.y += y / this.scale - y / scale;
    this.scale = scale;
    this.moved();
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.moved();
  }

  /** Bring an area into view where it is not, large enough to be read. */
  show([left, top, right, bottom]) {
    const seen = this.area;
    const inside = left >= seen[0] && top >= seen[1] && right <= seen[2] && bottom <= seen[3];
    const legible = this.scale * HEADING >= LEGIBLE;
    if (inside && legible) return;
    const scale = legible ? this.scale : READING_SCALE;
    this.centerAt({ x: (left + right) / 2, y: (top + bottom) / 2, scale });
  }
}

function limited(scale) {
  return Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));
}
