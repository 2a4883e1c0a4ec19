/*
 * Boxes: what stands in the box of a row or a closed fold, and how large it is.
 */
"use strict";

const HEADING = 13,
  LINE = 11,
  LEADING = 1.3,
  PAD_X = 12,
  PAD_Y = 6,
  NARROWEST = 84;
const LONGEST_LINE = 44;
const FEW_LEAVES = 2;
const FOLD_ROLES = ["module", "repeat", "chain"];

class Boxes {
  /** `widthOf(text, size)` measures a line of text. */
  constructor(graph, widthOf) {
    this.graph = graph;
    this.widthOf = widthOf;
    this.sizes = new Map();
    this.several = severalLeaves(graph);
  }

  /** The lines of an item's box: its heading, what it puts out or holds, the leaves it uses. */
  lines(row, fold) {
    const lines = row >= 0 ? this.rowLines(row) : this.foldLines(fold);
    return lines.filter(Boolean).map((line) => shortened(line, LONGEST_LINE));
  }

  rowLines(row) {
    return [rowHeading(this.graph, row), this.output(row), this.leaves(row, row + 1)];
  }

  foldLines(fold) {
    const { folds } = this.graph;
    const first = folds.first[fold],
      stop = folds.stop[fold];
    const what =
      stop - first === 1
        ? `${rowHeading(this.graph, first)} ${this.output(first)}`
        : [
            countText(folds.nodes[fold], "node"),
            folds.saved[fold] ? sizeText(folds.saved[fold]) : "",
          ]
            .filter(Boolean)
            .join(DOT);
    return [foldHeading(this.graph, fold), what, this.leaves(first, stop)];
  }

  output(row) {
    const { rows, faces } = this.graph;
    const scalars = this.graph.text(faces.scalars[rows.face[row]]);
    return [this.graph.text(rows.shape[row]), scalars].filter(Boolean).join(" ");
  }

  /** Name the leaves of a few rows, count those of many; ×N is a leaf that other rows use, too. */
  leaves(first, stop) {
    const { graph } = this;
    const { start } = graph.uses;
    if (start[first] === start[stop]) return "";
    const found = leavesBetween(graph, first, stop, FEW_LEAVES + 1);
    if (found.length > FEW_LEAVES) return `\u25c6 ${this.counted(first, stop)}`;
    const module = moduleAround(graph, graph.rows.fold[first]);
    return `\u25c6 ${found
      .map((leaf) => {
        const times =
          this.several[leaf] > 1 ? ` \u00d7${this.several[leaf].toLocaleString("en-US")}` : "";
        return nearName(leafName(graph, leaf), module) + times;
      })
      .join(", ")}`;
  }

  counted(first, stop) {
    return countText(leavesBetween(this.graph, first, stop).length, "leaf", "leaves");
  }

  /** Width and height of an item's box. */
  size(row, fold) {
    const lines = this.lines(row, fold);
    let width = Math.max(NARROWEST, this.widthOf(lines[0], HEADING));
    for (let at = 1; at < lines.length; at++)
      width = Math.max(width, this.widthOf(lines[at], LINE));
    const height = (HEADING + LINE * (lines.length - 1)) * LEADING + 2 * PAD_Y;
    return [Math.round(10 * (width + 2 * PAD_X)) / 10, Math.round(10 * height) / 10];
  }

  /** The role that colours an item's box, as the palette calls it. */
  role(row, fold) {
    const { graph } = this;
    if (row < 0) return FOLD_ROLES[graph.folds.kind[fold]];
    return graph.rootNames.has(row) ? "root" : graph.text(graph.faces.role[graph.rows.face[row]]);
  }
}

/** How many rows use each leaf. */
function severalLeaves(graph) {
  const times = new Int32Array(graph.leaves.size);
  for (const leaf of graph.uses.leaf) times[leaf]++;
  return times;
}
