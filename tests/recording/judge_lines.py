"""Runs a program under torch's own anomaly mode and writes down which line made each node.

`python judge_lines.py PROGRAM OUT`: for every entry of the program's `losses`, the nodes reached
breadth first over `next_functions`, each with its class, the numbers of the nodes it leads to and
the user's frames of its stack, innermost last. Shares no code with the package.
"""

import json
import re
import runpy
import sys
from pathlib import Path

import torch

FRAME = re.compile(r'\s*File "(.+)", line (\d+), in (.+)')
REPEATED = re.compile(r"\s*\[Previous line repeated (\d+) more times?\]")


def user_frames(node, start):
    """Give the frames of files below `start` that are not installed, and those of no file."""
    frames = []
    for entry in node.metadata["traceback_"]:
        match, again = FRAME.match(entry), REPEATED.match(entry)
        frames += [match.groups()] if match else [frames[-1]] * int(again[1])
    return [
        (str(Path(file).relative_to(start)) if file != "<string>" else file, int(line), function)
        for file, line, function in frames
        if file == "<string>" or (file.startswith(f"{start}/") and "site-packages" not in file)
    ]


def graph_below(root, start):
    nodes, number = [root], {root: 0}
    rows = []
    for node in nodes:
        targets = []
        for following, _ in node.next_functions:
            if following is not None and following not in number:
                number[following] = len(nodes)
                nodes.append(following)
            targets.append(number.get(following, -1))
        rows.append((type(node).__name__, targets, user_frames(node, start)))
    return rows


if __name__ == "__main__":
    program, out = sys.argv[1:]
    program = Path(program).resolve()
    sys.path[0] = start = str(program.parent)
    torch.autograd.set_detect_anomaly(True, check_nan=False)
    losses = runpy.run_path(str(program), run_name="__main__")["losses"]
    graphs = {name: graph_below(loss.grad_fn, start) for name, loss in losses.items()}
    Path(out).write_text(json.dumps(graphs))
