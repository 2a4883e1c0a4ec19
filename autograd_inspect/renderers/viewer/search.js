/*
 * Search: modules, operations, lines, variables and leaves whose name has all the words typed.
 */
"use strict";

const MOST_FOUND = 200,
  MOST_SHOWN = 60;

/** Things that match, best kinds first: folds, leaves, rows; up to `most`, and how many there are. */
function searched(graph, query, most = MOST_FOUND) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return { things: [], total: 0 };
  const exact = /^#(\d+)$/.exec(query.trim());
  if (exact) return numbered(graph, Number(exact[1]));
  const strings = (graph.lower ||= graph.facts.strings.map((text) => text.toLowerCase()));
  const masks = words.map((word) =>
    Uint8Array.from(strings, (text) => (text.includes(word) ? 1 : 0)),
  );
  const things = [];
  let total = 0;
  const take = (count, columns, make) => {
    for (let at = 0; at < count; at++) {
      if (!masks.every((mask) => columns.some((column) => mask[column(at)]))) continue;
      total++;
      if (things.length < most) things.push(make(at));
    }
  };
  const { rows, folds, leaves, faces } = graph;
  take(folds.size, [(at) => folds.title[at], (at) => folds.module[at]], (fold) => ({ fold }));
  take(leaves.size, [(at) => leaves.name[at], (at) => leaves.aliases[at]], (leaf) => ({ leaf }));
  const roots = new Map(graph.facts.roots);
  take(
    rows.size,
    [
      (at) => faces.title[rows.face[at]],
      (at) => faces.op[rows.face[at]],
      (at) => rows.variable[at],
      (at) => rows.place[at],
      (at) => rows.shape[at],
      (at) => roots.get(at) || 0,
    ],
    (row) => ({ row }),
  );
  return { things, total };
}

/** The thing with a node's number, as `#12` in the terminal. */
function numbered(graph, node) {
  const row = graph.rows.node.indexOf(node),
    leaf = graph.leaves.node.indexOf(node);
  const things = row >= 0 ? [{ row }] : leaf >= 0 ? [{ leaf }] : [];
  return { things, total: things.length };
}

class Search {
  /** `act` has reveal(thing) and say(text). */
  constructor(input, list, graph, act) {
    Object.assign(this, { input, list, graph, act });
    this.things = [];
    this.at = -1;
    input.addEventListener("input", () => this.find());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("focus", () => {
      if (this.things.length) this.open(true);
    });
    input.addEventListener("blur", () => setTimeout(() => this.open(false), 150));
    list.addEventListener("pointerdown", (event) => {
      const line = event.target.closest(".found");
      if (!line) return;
      event.preventDefault();
      this.go(Number(line.dataset.at));
    });
  }

  find() {
    const { things, total } = searched(this.graph, this.input.value);
    this.things = things;
    this.at = -1;
    this.list.replaceChildren(
      ...things.slice(0, MOST_SHOWN).map((thing, at) => this.line(thing, at)),
    );
    if (total > MOST_SHOWN) {
      const note = this.list.appendChild(document.createElement("div"));
      note.className = "note";
      note.textContent = `${total.toLocaleString("en-US")} in all`;
    }
    this.open(Boolean(things.length));
    if (this.input.value.trim())
      this.act.say(
        total ? `${countText(total, "match", "matches")}, Enter shows the next` : "nothing found",
      );
  }

  line(thing, at) {
    const { graph } = this;
    const line = document.createElement("div");
    line.className = "found";
    line.id = `found-${at}`;
    line.dataset.at = String(at);
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", "false");
    line.append(thing.leaf === undefined ? "" : "\u25c6 ", nameOf(graph, thing));
    const where =
      thing.row === undefined
        ? ""
        : [moduleAround(graph, graph.rows.fold[thing.row]), graph.text(graph.rows.place[thing.row])]
            .filter(Boolean)
            .join(DOT);
    if (where) line.appendChild(document.createElement("small")).textContent = where;
    return line;
  }

  open(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
  }

  go(at) {
    if (!this.things.length) return;
    this.at = (at + this.things.length) % this.things.length;
    for (const line of this.list.querySelectorAll(".found")) {
      const chosen = Number(line.dataset.at) === this.at;
      line.setAttribute("aria-selected", String(chosen));
      if (chosen) {
        line.scrollIntoView({ block: "nearest" });
        this.input.setAttribute("aria-activedescendant", line.id);
      }
    }
    this.act.reveal(this.things[this.at]);
    this.act.say(
      `${this.at + 1} of ${this.things.length}: ${nameOf(this.graph, this.things[this.at])}`,
    );
  }

  key(event) {
    event.stopPropagation();
    if (event.key === "Enter") this.go(this.at + (event.shiftKey ? -1 : 1));
    else if (event.key === "ArrowDown") this.go(this.at + 1);
    else if (event.key === "ArrowUp") this.go(this.at - 1);
    else if (event.key === "Escape") {
      this.open(false);
      this.act.focusGraph();
    } else return;
    event.preventDefault();
  }
}
