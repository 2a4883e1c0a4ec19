/*
 * Heat: the colour of a box by a figure, on the scale of passes/heat.py.
 *
 * Gradients go by powers of ten, from the least to the greatest of all; bytes and times by their
 * share of the most that one thing in the picture has. Groups have true sums.
 */
"use strict";

const HEATS = ["kind", "saved", "time", "gradient"];
const HOTTEST = 6,
  NO_HEAT = -1,
  ZERO = -2,
  NOT_FINITE = -3;
const COLUMN_OF = { saved: "saved", time: "spent", gradient: "norm" };

class Heat {
  constructor(graph, name) {
    this.graph = graph;
    this.name = name;
    this.column = COLUMN_OF[name];
    if (name === "gradient") this.findDecades();
  }

  value(row, fold) {
    return row >= 0 ? this.graph.rows[this.column][row] : this.graph.folds[this.column][fold];
  }

  /** Whether the graph has such figures at all. */
  static known(graph, name) {
    if (name === "kind") return true;
    const values = graph.rows[COLUMN_OF[name]];
    return name === "gradient"
      ? values.some((value) => !Number.isNaN(value))
      : values.some((value) => value > 0);
  }

  findDecades() {
    this.low = Infinity;
    this.high = -Infinity;
    for (const norms of [this.graph.rows.norm, this.graph.folds.norm]) {
      for (const norm of norms) {
        if (!(norm > 0) || norm === Infinity) continue;
        this.low = Math.min(this.low, norm);
        this.high = Math.max(this.high, norm);
      }
    }
    this.low = Math.log10(this.low);
    this.high = Math.log10(this.high);
    this.low = Math.min(this.low, this.high - 1);
  }

  /** Set the scale to what is in a scene. */
  fit(scene) {
    if (this.name === "kind" || this.name === "gradient") return;
    this.most = 0;
    for (let item = 0; item < scene.size; item++) {
      this.most = Math.max(this.most, this.value(scene.row[item], scene.fold[item]));
    }
  }

  level(row, fold) {
    if (!this.column) return NO_HEAT;
    const value = this.value(row, fold);
    if (this.name === "gradient") {
      if (Number.isNaN(value)) return NO_HEAT;
      if (value === 0) return ZERO;
      if (!Number.isFinite(value)) return NOT_FINITE;
      const share = (Math.log10(value) - this.low) / (this.high - this.low);
      return Math.min(Math.floor(share * (HOTTEST + 1)), HOTTEST);
    }
    if (value < 0) return NO_HEAT;
    return this.most ? Math.min(Math.ceil((value / this.most) * HOTTEST), HOTTEST) : 0;
  }

  /** The figure as people read it, empty where it is not known. */
  text(row, fold) {
    if (!this.column) return "";
    return heatText(this.name, this.value(row, fold));
  }

  /** What the legend says: its title and its two ends. */
  legend() {
    const { timed } = this.graph.facts;
    switch (this.name) {
      case "saved":
        return ["held for backward", "0", sizeText(this.most || 0)];
      case "time":
        return [`time, ${timed}`, "0", durationText(this.most || 0)];
      case "gradient":
        return ["gradient norm", figureText(10 ** this.low, 2), figureText(10 ** this.high, 2)];
      default:
        return ["", "", ""];
    }
  }
}

function heatText(name, value) {
  if (name === "gradient") return Number.isNaN(value) ? "" : `\u2207 ${normText(value)}`;
  if (value < 0) return "";
  return name === "saved" ? sizeText(value) : durationText(value);
}
