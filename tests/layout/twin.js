// Lay out what comes in as JSON, with the layout script as a page has it: not as a module.
"use strict";
const fs = require("fs");

const script = fs.readFileSync(process.argv[2], "utf8");
const call = new Function(`${script}; return { layOut, textWidth, learnWidths };`)();
const { tasks, texts, widths } = JSON.parse(fs.readFileSync(0, "utf8"));
call.learnWidths(widths || {});
const answer = {
  layouts: (tasks || []).map(({ diagram, options }) => call.layOut(diagram, options)),
  widths: (texts || []).map((text) => call.textWidth(text, 11)),
};
process.stdout.write(JSON.stringify(answer));
