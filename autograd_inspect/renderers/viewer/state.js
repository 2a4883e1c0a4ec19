/*
 * State: what is shown, in the fragment of the page's address, so that a view can be linked to.
 *
 *   sel=r12    what is selected: a row, fold or leaf        heat=saved   what colours stand for
 *   open=, shut=  folds by which it differs from the first view, as ranges in base 36: `3-9.k`
 *   show=f.n   which instance of a repeat is on show        at=x,y,zoom  what is in the middle
 *   path=1     the path to the root is shown
 */
"use strict";

const LONGEST_FRAGMENT = 8000;

function rangesText(numbers) {
  const parts = [];
  for (let at = 0; at < numbers.length;) {
    let last = at;
    while (last + 1 < numbers.length && numbers[last + 1] === numbers[last] + 1) last++;
    const [first, stop] = [numbers[at].toString(36), numbers[last].toString(36)];
    parts.push(first === stop ? first : `${first}-${stop}`);
    at = last + 1;
  }
  return parts.join(".");
}

/** The numbers below `count` in such a text; what is none is passed over. */
function* rangesIn(text, count) {
  for (const part of text.split(".")) {
    const [first, last = first] = part.split("-").map((one) => Number.parseInt(one, 36));
    for (let number = Math.max(0, first); number <= Math.min(last, count - 1); number++)
      yield number;
  }
}

/** Write a state as a fragment; `first` and `firstHeat` are those of the first view. */
function fragmentOf(state, first, firstHeat) {
  const opened = [],
    shut = [];
  state.opening.open.forEach((open, fold) => {
    if (open && !first.open[fold]) opened.push(fold);
    if (!open && first.open[fold]) shut.push(fold);
  });
  const shown = [...state.opening.shown].filter(
    ([fold, number]) => number !== first.instance(fold),
  );
  const { selection, heat, view, path } = state;
  const parts = {
    sel: selection ? Object.entries(selection).map(([kind, number]) => kind[0] + number)[0] : "",
    open: rangesText(opened),
    shut: rangesText(shut),
    show: shown.map(([fold, number]) => `${fold.toString(36)}.${number}`).join("_"),
    heat: heat === firstHeat ? "" : heat,
    path: path ? "1" : "",
    at: view ? [view.x.toFixed(0), view.y.toFixed(0), view.scale.toPrecision(3)].join(",") : "",
  };
  const text = Object.entries(parts)
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  return text.length > LONGEST_FRAGMENT ? "" : text;
}

/** Read a fragment; whatever it says, what comes of it fits the graph. */
function stateOf(fragment, graph, first) {
  const said = new Map(
    fragment
      .replace(/^#/, "")
      .split("&")
      .map((part) => {
        const [name, value = ""] = part.split("=");
        return [name, value];
      }),
  );
  const read = (name) => said.get(name) || "";
  const { folds, rows, leaves } = graph;
  const opening = first.copy();
  for (const fold of rangesIn(read("open"), folds.size)) opening.open[fold] = 1;
  for (const fold of rangesIn(read("shut"), folds.size)) opening.open[fold] = 0;
  for (const pair of read("show").split("_").filter(Boolean)) {
    const fold = Number.parseInt(pair.split(".")[0], 36),
      number = Number(pair.split(".")[1]);
    if (
      fold >= 0 &&
      fold < folds.size &&
      folds.kind[fold] === REPEAT &&
      number >= ALL &&
      number < folds.times[fold] &&
      Number.isInteger(number)
    )
      opening.shown.set(fold, number);
  }
  const sizes = { r: ["row", rows.size], f: ["fold", folds.size], l: ["leaf", leaves.size] };
  const [kind, size] = sizes[read("sel")[0]] || ["", 0],
    number = Number(read("sel").slice(1));
  const selection =
    kind && Number.isInteger(number) && number >= 0 && number < size ? { [kind]: number } : null;
  const color = said.has("heat") ? read("heat") : graph.facts.heat;
  const heat = HEATS.includes(color) && Heat.known(graph, color) ? color : "kind";
  const at = read("at").split(",").map(Number);
  const view =
    at.length === 3 && at.every(Number.isFinite) && at[2] > 0
      ? { x: at[0], y: at[1], scale: at[2] }
      : null;
  return { opening, selection, heat, view, path: Boolean(read("path")) };
}
