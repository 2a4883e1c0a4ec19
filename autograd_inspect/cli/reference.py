"""The command line as a page of Markdown, made from the commands themselves."""

from __future__ import annotations

from typing import Any

HEAD = """# Command line

Made from the commands' own help. SOURCE is a capture (`x.agi`), a target to run first, or nothing:
the last capture. In `trace`, options stand before the target; what follows it belongs to the
program. In the other verbs options may stand anywhere, and the program's arguments follow `--`.

Results go to stdout, everything else to stderr. On a terminal: colour, aligned, shortened to fit.
In a pipe: full values, tab-separated, nothing cut.

| exit status | meaning |
|---|---|
| 0 | fine |
| 1 | findings (`check`, `--fail-on`, `diff --exit-code`, derivatives that disagree) |
| 2 | usage or bad input: one line says what, and what to do next |
| 3 | a bug of ours |
| 5 | the program ran, but nothing had a `grad_fn` |
| other | `trace` gives the program's own status |

Any option can be set in `[tool.agi.COMMAND]` of pyproject.toml (`limit = 100`) and in the
environment (`AGI_RENDER_LIMIT=100`); a flag wins over the environment, the environment over the
file. `AGI_DIR` names another folder for captures than `.agi/`.
"""


def reference() -> str:
    """Write the page."""
    import typer

    from autograd_inspect.cli.app import app

    group: Any = typer.main.get_command(app)
    return HEAD + "".join(_section(name, command) for name, command in group.commands.items())


def _section(name: str, command: Any) -> str:
    import typer

    context = typer.Context(command)
    arguments = [p.metavar for p in command.params if p.param_type_name == "argument"]
    lines = [f"\n## agi {' '.join([name, '[OPTIONS]', *arguments])}\n", f"\n{command.help}\n"]
    options = [p for p in command.params if p.param_type_name == "option"]
    if options:
        lines.append("\n| option | meaning |\n|---|---|\n")
    for option in options:
        flags, meaning = option.get_help_record(context)
        flags = flags.replace("<", "").replace(">", "").replace("|", "\\|")
        lines.append(f"| `{flags}` | {meaning} |\n")
    if command.epilog:
        examples = command.epilog.split("   |   ")
        lines += ["\n```bash\n", *(f"{line.strip()}\n" for line in examples), "```\n"]
    return "".join(lines)
