// Lay out what comes in as JSON lines, with the layout script as a page loads it: not as a module.
"use strict";
const fs = require("fs");
const vm = require("vm");

const page = vm.createContext({});
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), page);
const call = vm.runInContext("({ layOut, textWidth, learnWidths })", page);
const { tasks, texts, widths } = JSON.parse(fs.readFileSync(0, "utf8"));
call.learnWidths(widths || {});
const answer = {
  layouts: (tasks || []).map(({ diagram, options }) => call.layOut(diagram, options)),
  widths: (texts || []).map((text) => call.textWidth(text, 11)),
};
process.stdout.write(JSON.stringify(answer));
