/*
 * Overview: many boxes at once, set pixel by pixel, without text, lines or arrows. Also the minimap.
 */
"use strict";

/** Draw frames and boxes into a canvas's pixels; `view` is {x, y, scale} in its own pixels. */
function overview(context, picture, view, look, marks) {
  const { width, height } = context.canvas;
  const image = imageFor(context);
  const pixels = new Uint32Array(image.data.buffer);
  pixels.fill(pixelOf(look.palette.paper));
  const { x: originX, y: originY, scale } = view;
  const fill = (left, top, right, bottom, color) => {
    const x0 = Math.max(0, ((left - originX) * scale + 0.5) | 0);
    const y0 = Math.max(0, ((top - originY) * scale + 0.5) | 0);
    const x1 = Math.min(width, Math.max(x0 + 1, ((right - originX) * scale + 0.5) | 0));
    const y1 = Math.min(height, Math.max(y0 + 1, ((bottom - originY) * scale + 0.5) | 0));
    for (let y = y0; y < y1; y++) {
      const end = y * width + x1;
      for (let at = y * width + x0; at < end; at++) pixels[at] = color;
    }
  };
  const { palette } = look;
  const right = originX + width / scale,
    bottom = originY + height / scale;
  const shades = palette.frames.map(pixelOf);
  for (const frame of picture.framesWithin([originX, originY, right, bottom])) {
    const { x, y } = frame;
    fill(x, y, x + frame.width, y + frame.height, shades[frame.depth % 2]);
  }
  const { bounds } = picture.boxGrid,
    colors = look.pixels(picture.scene);
  for (let box = 0, at = 0; box < colors.length; box++, at += 4) {
    if (bounds[at] > right || bounds[at + 2] < originX) continue;
    if (bounds[at + 1] > bottom || bounds[at + 3] < originY) continue;
    fill(bounds[at], bounds[at + 1], bounds[at + 2], bounds[at + 3], colors[box]);
  }
  const strong = pixelOf(palette.boxes.root[1]);
  for (const box of marks.path) fill(...picture.boxBounds(box), strong);
  context.putImageData(image, 0, 0);
}

const IMAGES = new WeakMap();

/** The pixels that a canvas gets; the same ones as long as it keeps its size. */
function imageFor(context) {
  const { width, height } = context.canvas;
  let image = IMAGES.get(context);
  if (!image || image.width !== width || image.height !== height) {
    image = context.createImageData(width, height);
    IMAGES.set(context, image);
  }
  return image;
}

/** The whole picture in a corner, with the part in view outlined. */
class Minimap {
  constructor(canvas, move) {
    this.canvas = canvas;
    this.whole = document.createElement("canvas");
    const drag = (event) => {
      if (!event.buttons || !this.scale) return;
      const { left, top } = canvas.getBoundingClientRect();
      move(
        (event.clientX - left - this.left) / this.scale,
        (event.clientY - top - this.top) / this.scale,
      );
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      drag(event);
    });
    canvas.addEventListener("pointermove", drag);
  }

  /** Draw the picture anew, for a new picture or look. */
  draw(picture, look, marks) {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    this.ratio = ratio;
    for (const canvas of [this.canvas, this.whole]) {
      canvas.width = Math.max(1, Math.round(clientWidth * ratio));
      canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    }
    this.scale = Math.min(
      (clientWidth - 8) / (picture.width || 1),
      (clientHeight - 8) / (picture.height || 1),
    );
    this.left = (clientWidth - picture.width * this.scale) / 2;
    this.top = (clientHeight - picture.height * this.scale) / 2;
    const context = this.whole.getContext("2d");
    const view = {
      x: -this.left / this.scale,
      y: -this.top / this.scale,
      scale: this.scale * ratio,
    };
    overview(context, picture, view, look, marks);
    this.color = look.palette.boxes.leaf[1];
  }

  /** Outline the part that is in view. */
  outline(view, picture) {
    const whole =
      view.x <= 0 &&
      view.y <= 0 &&
      view.x + view.width / view.scale >= picture.width &&
      view.y + view.height / view.scale >= picture.height;
    this.canvas.style.visibility = whole ? "hidden" : "visible";
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.whole, 0, 0);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.strokeStyle = this.color;
    context.lineWidth = 2;
    context.strokeRect(
      this.left + view.x * this.scale,
      this.top + view.y * this.scale,
      (view.width / view.scale) * this.scale,
      (view.height / view.scale) * this.scale,
    );
  }
}
