/*
 * Look: the colours of things, by kind or by heat, in light or dark; and the legend of heat.
 */
"use strict";

/** The colours of things: by kind or by heat, in a light or dark palette. */
class Look {
  constructor(graph, boxes, palette, heat) {
    Object.assign(this, { graph, boxes, palette, heat });
  }

  fill(row, fold, role) {
    const { palette } = this;
    switch (this.heat.level(row, fold)) {
      case NO_HEAT:
        return this.heat.column ? palette.paper : palette.boxes[role][0];
      case ZERO:
        return palette.zero;
      case NOT_FINITE:
        return palette.odd;
      default:
        return palette.heat[this.heat.level(row, fold)];
    }
  }

  /** Per item, a colour that is seen at a distance: strong by kind, as it is by heat. */
  pixels(scene) {
    if (this.cached === scene) return this.colors;
    const known = new Map();
    const pixel = (color) => {
      if (!known.has(color)) known.set(color, pixelOf(color));
      return known.get(color);
    };
    this.colors = new Uint32Array(scene.size);
    for (let item = 0; item < scene.size; item++) {
      const row = scene.row[item],
        fold = scene.fold[item],
        role = this.boxes.role(row, fold);
      this.colors[item] = pixel(
        this.heat.column ? this.fill(row, fold, role) : this.palette.boxes[role][1],
      );
    }
    this.cached = scene;
    return this.colors;
  }
}

/** A colour `#rrggbb` as a pixel of an image. */
function pixelOf(color) {
  const number = Number.parseInt(color.slice(1), 16);
  return (0xff000000 | ((number & 255) << 16) | (number & 0xff00) | (number >> 16)) >>> 0;
}

/** Say what colours of heat stand for. */
function drawLegend(element, { heat, palette }) {
  element.replaceChildren();
  if (!heat.column) return;
  const [title, low, high] = heat.legend();
  element.append(`${title} `, low, ...palette.heat.map(swatch), high);
  if (heat.name !== "gradient") return;
  element.append(" ", swatch(palette.zero), " 0 ", swatch(palette.odd), " NaN or infinite");
}

function swatch(color) {
  const canvas = document.createElement("canvas");
  canvas.width = 14;
  canvas.height = 12;
  const context = canvas.getContext("2d");
  context.fillStyle = color;
  context.fillRect(0, 0, 14, 12);
  return canvas;
}
