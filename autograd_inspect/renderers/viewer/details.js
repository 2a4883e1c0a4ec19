/*
 * Details: all that is known of what is selected, or of the whole graph where nothing is.
 */
"use strict";

const MOST_LISTED = 40;

class Details {
  /** `act` has select(thing), toggle(fold), turnBy(repeat, by), showPath(). */
  constructor(element, graph, paths, act) {
    Object.assign(this, { element, graph, paths, act });
  }

  show(thing, opening, heat) {
    this.element.replaceChildren();
    this.opening = opening;
    this.heat = heat;
    if (!thing) this.whole();
    else if (thing.row !== undefined) this.row(thing.row);
    else if (thing.fold !== undefined) this.fold(thing.fold);
    else this.leaf(thing.leaf);
    this.element.scrollTop = 0;
  }

  whole() {
    const { facts, text } = this.graph;
    this.title(facts.title);
    const [nodes, edges, leaves] = facts.size;
    this.facts([
      ["nodes", nodes.toLocaleString("en-US")],
      ["edges", edges.toLocaleString("en-US")],
      ["leaves", leaves.toLocaleString("en-US")],
      ["saved", facts.whole.saved ? sizeText(facts.whole.saved) : ""],
      [`time, ${facts.timed}`, facts.whole.spent >= 0 ? durationText(facts.whole.spent) : ""],
      ["where", facts.place],
      [
        "captured",
        [facts.call, facts.created.replace("T", " ").slice(0, 16)].filter(Boolean).join(DOT),
      ],
      ...Object.entries(facts.versions),
    ]);
    for (const note of facts.notes) this.warn(note);
    if (facts.findings.length) this.heading("Findings");
    this.list(facts.findings, ([row, ...lines]) => {
      const told = lines.map(text).join("\n");
      return row >= 0 ? this.link(told, { row }) : this.warning(told);
    });
  }

  row(row) {
    const { graph } = this,
      { rows, faces, folds } = graph;
    const face = rows.face[row];
    this.title(rowHeading(graph, row));
    for (const [where, ...lines] of graph.facts.findings) {
      if (where === row) this.warn(lines.map(graph.text).join("\n"));
    }
    this.facts([
      ["node", `#${rows.node[row]}  ${graph.text(faces.op[face])}`],
      ["kind", graph.text(faces.kind[face])],
      ["output", graph.text(rows.shape[row])],
      ["scalars", graph.text(faces.scalars[face])],
      ["variable", graph.text(rows.variable[row])],
      ["module", this.moduleText(rows.fold[row])],
      ["saved", rows.saved[row] ? `${sizeText(rows.saved[row])}, parameters aside` : "nothing"],
      [`time, ${graph.facts.timed}`, heatText("time", rows.spent[row])],
      ["gradient", this.gradient(row)],
      [
        "views",
        rows.nodes[row] > 1
          ? countText(rows.nodes[row] - 1, "view") + " that it reads through"
          : "",
      ],
      [
        "needs none",
        rows.unfed[row] ? `${countText(rows.unfed[row], "input")}, drawn as open ends` : "",
      ],
    ]);
    this.actions([["Path to the root", () => this.act.showPath()]]);
    this.stack(row);
    this.kept(row);
    this.leaves(row, row + 1);
    this.neighbours(row);
    for (const fold of foldsAround(graph, rows.fold[row])) {
      if (folds.kind[fold] === REPEAT) this.instances(fold, instanceAt(graph, fold, row));
    }
  }

  gradient(row) {
    const { rows } = this.graph;
    if (Number.isNaN(rows.norm[row])) return "";
    const parts = [`norm ${normText(rows.norm[row])}`];
    if (!Number.isNaN(rows.most[row])) parts.push(`max ${figureText(rows.most[row])}`);
    if (rows.zeros[row] > 0)
      parts.push(`${((100 * rows.zeros[row]) / rows.count[row]).toFixed(1)}% zeros`);
    if (rows.nan[row]) parts.push(`${rows.nan[row].toLocaleString("en-US")} NaN`);
    if (rows.inf[row]) parts.push(`${rows.inf[row].toLocaleString("en-US")} infinite`);
    return parts.join(", ");
  }

  moduleText(fold) {
    const { folds } = this.graph;
    for (const one of foldsAround(this.graph, fold)) {
      if (folds.kind[one] === MODULE) {
        return `${this.graph.text(folds.module[one]) || foldHeading(this.graph, one)} (${this.graph.text(folds.class[one])})`;
      }
    }
    return "";
  }

  /** The title of the module call that made a row: which of several it was. */
  callAround(row) {
    const { graph } = this;
    for (const fold of foldsAround(graph, graph.rows.fold[row])) {
      if (graph.folds.kind[fold] === MODULE) return foldHeading(graph, fold);
    }
    return "";
  }

  stack(row) {
    const lines = this.graph.facts.stacks[this.graph.rows.stack[row]];
    if (!lines || !lines.length) return;
    this.heading("Lines, innermost first");
    this.list(lines, (line) => this.graph.text(line));
  }

  kept(row) {
    const { saved, kept, text } = this.graph;
    const kinds = Array.from(saved.kind.subarray(saved.start[row], saved.start[row + 1]));
    if (!kinds.length) return;
    this.heading("Saved for backward");
    this.list(
      kinds,
      (kind) =>
        [
          `${text(kept.name[kind])}:`,
          text(kept.spec[kind]),
          sizeText(Math.max(kept.bytes[kind], 0)),
        ].join(" ") + (kept.note[kind] ? ` (${text(kept.note[kind])})` : ""),
    );
  }

  leaves(first, stop) {
    const leaves = leavesBetween(this.graph, first, stop, 1000);
    if (!leaves.length) return;
    this.heading("Leaves");
    this.list(leaves, (leaf) =>
      this.link(`${leafName(this.graph, leaf)} ${this.graph.text(this.graph.leaves.shape[leaf])}`, {
        leaf,
      }),
    );
  }

  neighbours(row) {
    const { arrows } = this.graph;
    const { order, starts } = this.paths.arrowsTo();
    const inputs = Array.from(arrows.target.subarray(arrows.start[row], arrows.start[row + 1]));
    const users = Array.from(
      order.subarray(starts[row], starts[row + 1]),
      (at) => arrows.source[at],
    );
    for (const [title, rows] of [
      ["Inputs", inputs],
      ["Used by", users],
    ]) {
      if (!rows.length) continue;
      this.heading(title);
      this.list(rows, (one) => this.link(rowHeading(this.graph, one), { row: one }));
    }
  }

  fold(fold) {
    const { graph } = this,
      { folds } = graph;
    this.title(foldHeading(graph, fold));
    const module = graph.text(folds.module[fold]);
    this.facts([
      ["kind", ["module", "repeat", "chain"][folds.kind[fold]]],
      ["module", module && `${module} (${graph.text(folds.class[fold])})`],
      ["in", this.moduleText(folds.parent[fold])],
      ["instances", folds.times[fold] > 1 ? folds.times[fold].toLocaleString("en-US") : ""],
      ["nodes", folds.nodes[fold].toLocaleString("en-US")],
      ["leaves", folds.leaves[fold].toLocaleString("en-US")],
      ["saved", sizeText(folds.saved[fold])],
      [`time, ${graph.facts.timed}`, heatText("time", folds.spent[fold])],
      [
        "gradient",
        Number.isNaN(folds.norm[fold])
          ? ""
          : `norm ${normText(folds.norm[fold])} at what it puts out`,
      ],
      ["line", graph.text(graph.rows.place[folds.first[fold]])],
    ]);
    const open = this.opening.open[fold];
    const repeat = folds.kind[fold] === REPEAT && open;
    this.actions([
      [open ? "Close" : "Open", () => this.act.toggle(fold)],
      [open ? "Close all alike" : "Open all alike", () => this.act.toggleAlike(fold)],
      ...(repeat ? this.pages(fold) : []),
      ["Path to the root", () => this.act.showPath()],
    ]);
    if (folds.kind[fold] === REPEAT) this.instances(fold, this.opening.instance(fold));
    this.leaves(folds.first[fold], folds.stop[fold]);
  }

  pages(repeat) {
    const all = this.opening.instance(repeat) === ALL;
    return [
      ["\u2039 previous", () => this.act.turnBy(repeat, -1)],
      ["next \u203a", () => this.act.turnBy(repeat, 1)],
      [all ? "Show one" : "Show all", () => this.act.show(repeat, all ? 0 : ALL)],
    ];
  }

  leaf(leaf) {
    const { graph } = this,
      { leaves, text } = graph;
    this.title(leafName(graph, leaf));
    const users = this.paths.usersOf(leaf);
    this.facts([
      ["node", `#${leaves.node[leaf]}  AccumulateGrad`],
      ["also named", text(leaves.aliases[leaf])],
      ["shape", text(leaves.shape[leaf])],
      ["requires_grad", leaves.frozen[leaf] ? "False" : "True"],
      ["gradient", text(leaves.note[leaf])],
      ["used by", countText(users.length, "operation")],
    ]);
    this.actions([["Path to the root", () => this.act.showPath()]]);
    this.heading("Used by");
    this.list(users, (row) =>
      this.link(
        [rowHeading(graph, row), this.callAround(row) || text(graph.rows.place[row])]
          .filter(Boolean)
          .join(DOT),
        { row },
      ),
    );
  }

  /** A bar per instance of a repeat, by the figure that colours the picture; a click shows one. */
  instances(repeat, shown) {
    const { graph } = this,
      times = graph.folds.times[repeat];
    const name = (this.heat.column && this.heat.name) || "saved";
    const values = instanceFigures(graph, repeat, name);
    if (!values.some((value) => value > 0)) return;
    const title = { saved: "saved", time: "time", gradient: "gradient norm" }[name];
    this.heading(`${title} of each of ${times.toLocaleString("en-US")} instances`);
    const canvas = this.element.appendChild(document.createElement("canvas"));
    canvas.className = "bars";
    canvas.setAttribute("role", "img");
    const [low, high] = rangeOf(values).map((value) => heatText(name, value));
    canvas.setAttribute("aria-label", `${title}: from ${low} to ${high}`);
    const bar = drawBars(canvas, values, shown, name === "gradient");
    canvas.addEventListener("click", (event) => this.act.show(repeat, bar(event.offsetX)));
    canvas.addEventListener("pointermove", (event) => {
      const at = bar(event.offsetX);
      canvas.title = `instance ${at + 1}: ${heatText(name, values[at])}`;
    });
  }

  title(text) {
    this.element.appendChild(document.createElement("h2")).textContent = text;
  }

  heading(text) {
    this.element.appendChild(document.createElement("h3")).textContent = text;
  }

  warn(text) {
    this.element.append(this.warning(text));
  }

  warning(text) {
    const line = document.createElement("div");
    line.className = "warn";
    line.textContent = text;
    return line;
  }

  facts(pairs) {
    const list = this.element.appendChild(document.createElement("dl"));
    for (const [name, value] of pairs) {
      if (!value) continue;
      list.appendChild(document.createElement("dt")).textContent = name;
      list.appendChild(document.createElement("dd")).textContent = value;
    }
  }

  actions(pairs) {
    const line = this.element.appendChild(document.createElement("div"));
    line.className = "actions";
    for (const [text, action] of pairs) {
      const button = line.appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", action);
    }
  }

  link(text, thing) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => this.act.reveal(thing));
    return button;
  }

  list(things, write) {
    const list = this.element.appendChild(document.createElement("ul"));
    for (const thing of things.slice(0, MOST_LISTED))
      list.appendChild(document.createElement("li")).append(write(thing));
    const more = things.length - MOST_LISTED;
    if (more > 0)
      list.appendChild(document.createElement("li")).textContent =
        `and ${more.toLocaleString("en-US")} more`;
  }
}
