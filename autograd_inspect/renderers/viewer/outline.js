/*
 * Outline: the same things as in the picture, as an ARIA tree. Only the lines in view exist.
 *
 * A fold that is open in the picture is open here; of a repeat, the instance on show.
 */
"use strict";

const ROW_HEIGHT = 24,
  SPARE_ROWS = 6,
  INDENT = 14;

class Outline {
  /** `act` has select(thing), toggle(fold), turnBy(repeat, by). */
  constructor(element, graph, act) {
    Object.assign(this, { element, graph, act });
    this.tall = document.createElement("div");
    this.tall.className = "tall";
    element.append(this.tall);
    this.lines = new Map();
    this.at = 0;
    element.addEventListener("scroll", () => this.render());
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("click", (event) => this.click(event));
    element.addEventListener("dblclick", (event) => {
      const code = this.codeOf(event.target);
      if (code >= 0) act.toggle(code);
    });
    new ResizeObserver(() => this.render()).observe(element);
  }

  /** List what is to be seen with an opening: folds, and rows as ~row, each with its level. */
  set(opening) {
    this.opening = opening;
    const codes = [],
      levels = [];
    const stack = partsBetween(this.graph, -1, 0, this.graph.rows.size)
      .reverse()
      .map((code) => [code, 1]);
    while (stack.length) {
      const [code, level] = stack.pop();
      codes.push(code);
      levels.push(level);
      if (code < 0 || !opening.open[code]) continue;
      const parts = opening.partsOf(code);
      for (let at = parts.length - 1; at >= 0; at--) stack.push([parts[at], level + 1]);
    }
    this.codes = Int32Array.from(codes);
    this.levels = Int32Array.from(levels);
    this.ofRow = new Int32Array(this.graph.rows.size).fill(-1);
    this.ofFold = new Int32Array(this.graph.folds.size).fill(-1);
    this.codes.forEach((code, at) => {
      if (code < 0) this.ofRow[~code] = at;
      else this.ofFold[code] = at;
    });
    this.tall.style.height = `${this.codes.length * ROW_HEIGHT}px`;
    this.lines.forEach((line) => line.remove());
    this.lines.clear();
    this.render();
  }

  /** Move to a thing: to itself, or to the closed fold that it is in. */
  mark(thing) {
    const { folds, rows } = this.graph,
      { row } = thing || {};
    let at = row === undefined ? -1 : this.ofRow[row];
    let fold = row === undefined ? (thing?.fold ?? -1) : rows.fold[row];
    for (; at < 0 && fold >= 0; fold = folds.parent[fold]) at = this.ofFold[fold];
    this.selected = at;
    if (at >= 0) {
      this.at = at;
      this.scrollTo(at);
    }
    this.render();
  }

  scrollTo(at) {
    const top = at * ROW_HEIGHT,
      { element } = this;
    if (top < element.scrollTop) element.scrollTop = top;
    const over = top + ROW_HEIGHT - element.scrollTop - element.clientHeight;
    if (over > 0) element.scrollTop += over;
  }

  render() {
    if (!this.codes) return;
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - SPARE_ROWS);
    const stop = Math.min(
      this.codes.length,
      Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + SPARE_ROWS,
    );
    for (const [at, line] of this.lines) {
      if (at >= first && at < stop) continue;
      line.remove();
      this.lines.delete(at);
    }
    for (let at = first; at < stop; at++) {
      if (!this.lines.has(at)) this.lines.set(at, this.tall.appendChild(this.line(at)));
      this.lines.get(at).setAttribute("aria-selected", String(at === this.selected));
    }
    this.element.setAttribute(
      "aria-activedescendant",
      this.lines.has(this.at) ? `line-${this.at}` : "",
    );
  }

  line(at) {
    const { graph } = this,
      code = this.codes[at];
    const line = document.createElement("div");
    line.className = "row";
    line.id = `line-${at}`;
    line.dataset.at = String(at);
    line.style.top = `${at * ROW_HEIGHT}px`;
    line.style.paddingLeft = `${(this.levels[at] - 1) * INDENT + 4}px`;
    line.setAttribute("role", "treeitem");
    line.setAttribute("aria-level", String(this.levels[at]));
    const twist = line.appendChild(document.createElement("span"));
    twist.className = "twist";
    twist.setAttribute("aria-hidden", "true");
    const name = line.appendChild(document.createElement("span"));
    name.className = "name";
    const more = line.appendChild(document.createElement("small"));
    if (code < 0) {
      name.textContent = rowHeading(graph, ~code);
      more.textContent = graph.text(graph.rows.shape[~code]);
    } else {
      const open = Boolean(this.opening.open[code]);
      twist.textContent = open ? "\u25be" : "\u25b8";
      line.setAttribute("aria-expanded", String(open));
      name.textContent = foldHeading(graph, code);
      if (open && graph.folds.kind[code] === REPEAT) line.insertBefore(this.pages(code), more);
      else more.textContent = countText(graph.folds.nodes[code], "node");
    }
    line.title = name.textContent;
    return line;
  }

  /** The pager of an open repeat: `‹ 3/12 ›`. */
  pages(repeat) {
    const pages = document.createElement("span");
    pages.className = "pages";
    const number = this.opening.instance(repeat) + 1,
      times = this.graph.folds.times[repeat];
    for (const [text, by, label] of [
      ["\u2039", -1, "previous"],
      ["\u203a", 1, "next"],
    ]) {
      if (by > 0) pages.append(number > 0 ? ` ${number}/${times} ` : ` all ${times} `);
      const button = pages.appendChild(document.createElement("button"));
      button.type = "button";
      button.tabIndex = -1;
      button.textContent = text;
      button.dataset.by = String(by);
      button.setAttribute("aria-label", `${label} instance`);
    }
    return pages;
  }

  lineOf(target) {
    const line = target.closest(".row");
    return line ? Number(line.dataset.at) : -1;
  }

  codeOf(target) {
    const at = this.lineOf(target);
    return at >= 0 && !target.closest("button") ? this.codes[at] : -1;
  }

  click(event) {
    const at = this.lineOf(event.target);
    if (at < 0) return;
    const code = this.codes[at],
      by = event.target.dataset.by;
    if (by) this.act.turnBy(code, Number(by));
    else if (event.target.className === "twist" && code >= 0) this.act.toggle(code);
    else this.act.select(code < 0 ? { row: ~code } : { fold: code });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = {
      ArrowDown: () => this.go(this.at + 1),
      ArrowUp: () => this.go(this.at - 1),
      Home: () => this.go(0),
      End: () => this.go(this.codes.length - 1),
      PageDown: () => this.go(this.at + 20),
      PageUp: () => this.go(this.at - 20),
      ArrowRight: () => this.inwards(),
      ArrowLeft: () => this.outwards(),
      Enter: () => this.enter(),
      " ": () => this.enter(),
    }[event.key];
    if (!move || event.target.closest("button")) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  }

  go(at) {
    this.at = Math.max(0, Math.min(at, this.codes.length - 1));
    const code = this.codes[this.at];
    this.act.select(code < 0 ? { row: ~code } : { fold: code });
  }

  enter() {
    const code = this.codes[this.at];
    if (code >= 0) this.act.toggle(code);
  }

  inwards() {
    const code = this.codes[this.at];
    if (code >= 0 && !this.opening.open[code]) this.act.toggle(code);
    else if (code >= 0) this.go(this.at + 1);
  }

  outwards() {
    const code = this.codes[this.at];
    if (code >= 0 && this.opening.open[code]) {
      this.act.toggle(code);
      return;
    }
    let at = this.at;
    while (at > 0 && this.levels[at] >= this.levels[this.at]) at--;
    if (this.levels[at] < this.levels[this.at]) this.go(at);
  }
}
