/*
 * Main: unpack the data, put the page together, show it.
 */
"use strict";

const HEAT_WORDS = { kind: "kind", saved: "saved bytes", time: "time", gradient: "gradient" };

async function main() {
  const page = Object.fromEntries(
    [...document.querySelectorAll("[id]")].map((element) => [element.id, element]),
  );
  const graph = await unpacked(page.data.textContent);
  page.data.remove();
  page.title.textContent = graph.facts.title.replace(/^.*[/\\]/, "");
  page.title.title = graph.facts.title;
  for (const name of HEATS) {
    const option = page.heat.appendChild(document.createElement("option"));
    option.value = name;
    option.textContent = HEAT_WORDS[name];
    option.disabled = !Heat.known(graph, name);
  }
  for (const [keys, what] of KEYS) {
    page["key-list"].appendChild(document.createElement("dt")).textContent = keys;
    page["key-list"].appendChild(document.createElement("dd")).textContent = what;
  }
  const app = new App(graph, page);
  app.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  listen(app, page);
  app.resized();
  app.restore();
  document.documentElement.dataset.ready = "yes";
  window.viewer = app; // for those who want to look into it from the console
}

function listen(app, page) {
  new Pointer(page.graph, app);
  new Search(page.search, page.found, app.graph, app);
  page.heat.addEventListener("change", () => app.setHeat(page.heat.value));
  page.path.addEventListener("click", () => app.showPath());
  page.everything.addEventListener("click", () => app.toggleEverything());
  page.auto.addEventListener("click", () => app.auto());
  page.fit.addEventListener("click", () => app.fit());
  page.theme.addEventListener("click", () => app.switchTheme());
  page.help.addEventListener("click", () => page.keys.showModal());
  document.addEventListener("keydown", (event) => onKey(event, app));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ({ matches }) => {
    app.setTheme(matches ? "dark" : "light");
    app.refreshed();
  });
  window.addEventListener("beforeprint", () => app.print());
}

main();
