"""What `execute` reports; that programs run as under python is the loader matrix's affair.

Running a program changes the process for good, so each test has a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from autograd_inspect.run.ranks import current_rank

ROOT = Path(__file__).parents[2]

PRELUDE = """
import sys
sys.path[:1] = [{root!r}]
from autograd_inspect.errors import TargetError
from autograd_inspect.run.imports import our_imports
from autograd_inspect.run.loader import execute, finish, is_original_process
from autograd_inspect.run.stop import Stop
from autograd_inspect.run.target import Target, parse_target
"""


def run_python(code: str, directory: Path) -> subprocess.CompletedProcess[str]:
    prelude = PRELUDE.format(root=str(ROOT))
    return subprocess.run(
        [sys.executable, "-c", prelude + textwrap.dedent(code)],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("program", "ending", "status"),
    [
        ("x = 1", "Finished", 0),
        ("import sys; sys.exit()", "Exited", 0),
        ("import sys; sys.exit(3)", "Exited", 3),
        ("import sys; sys.exit('message')", "Exited", 1),
        ("import sys; sys.exit(-1)", "Exited", 255),
        ("import sys; sys.exit(256)", "Exited", 0),
        ("import sys; sys.exit(2**70)", "Exited", 255),
        ("import sys; sys.exit(False)", "Exited", 0),
        ("1 / 0", "Raised", 1),
        ("def broken(:", "Raised", 1),
        ("raise GeneratorExit", "Raised", 1),
        ("raise KeyboardInterrupt", "Interrupted", 130),
        ("class Special(KeyboardInterrupt): pass\nraise Special", "Raised", 1),
        ("import runpy; runpy._run_module_as_main('agi_missing')", "Exited", 1),
        ("import sys; sys.excepthook = lambda *e: sys.exit(7); 1 / 0", "Raised", 7),
        ("from autograd_inspect.run.stop import Stop; raise Stop", "Stopped", 0),
        ("from autograd_inspect.errors import TargetError; raise TargetError('x')", "Raised", 1),
    ],
)
def test_every_ending_comes_back(program: str, ending: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(program)
    done = run_python(
        """
        run = execute(parse_target("program.py"))
        print(type(run.ending).__name__, run.status, run.main is sys.modules["__main__"])
        """,
        tmp_path,
    )
    assert done.stdout == f"{ending} {status} True\n"
    # Only the hook that exits with 7 keeps to itself what it was told.
    assert bool(done.stderr) == (ending in ("Raised", "Interrupted") and status != 7)


def test_stop_runs_finally_blocks_and_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "from autograd_inspect.run.stop import Stop\n"
        "try:\n"
        "    try:\n"
        "        raise Stop\n"
        "    except Exception:\n"
        "        print('caught')\n"
        "finally:\n"
        "    print('finally')\n"
    )
    done = run_python("finish(execute(parse_target('program.py')))", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "finally\n", "")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs asyncio.TaskGroup")
@pytest.mark.parametrize(("also", "ending"), [("pass", "Stopped"), ("1 / 0", "Raised")])
def test_stop_out_of_a_task_group_is_a_stop(also: str, ending: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import asyncio\n"
        "from autograd_inspect.run.stop import Stop\n"
        "async def stop(): raise Stop\n"
        f"async def other(): {also}\n"
        "async def main():\n"
        "    async with asyncio.TaskGroup() as group:\n"
        "        group.create_task(stop())\n"
        "        group.create_task(other())\n"
        "asyncio.run(main())\n"
    )
    done = run_python(
        "run = execute(parse_target('program.py')); print(type(run.ending).__name__)", tmp_path
    )
    assert done.stdout == f"{ending}\n"


def test_before_is_called_once_when_all_is_ready(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("print('program')")
    done = run_python(
        """
        def before():
            print(sys.argv, sys.path[0], sorted(vars(sys.modules["__main__"]))[-1])
        execute(parse_target("program.py", arguments=["a"]), before=before)
        """,
        tmp_path,
    )
    assert done.stdout == f"['program.py', 'a'] {tmp_path.resolve()} __spec__\nprogram\n"


def test_an_error_of_before_is_ours(tmp_path: Path) -> None:
    done = run_python("execute(Target('code', 'print(1)'), before=lambda: 1 / 0)", tmp_path)
    assert done.stdout == ""
    assert "in execute" in done.stderr


def test_the_program_can_tell_that_it_is_traced(tmp_path: Path) -> None:
    done = run_python(
        "execute(Target('code', 'import os; print(os.environ[\"AGI_TRACE\"])'))", tmp_path
    )
    assert done.stdout == "1\n"


def test_multiprocessing_finds_the_programs_main(tmp_path: Path) -> None:
    code = "import sys; print(sys.modules['__mp_main__'] is sys.modules['__main__'])"
    done = run_python(f"import multiprocessing; execute(Target('code', {code!r}))", tmp_path)
    assert done.stdout == "True\n"


def test_its_globals_outlive_the_program(tmp_path: Path) -> None:
    code = "import sys; value = 3; double = lambda: 2 * value; del sys.modules['__main__']"
    done = run_python(
        f"run = execute(Target('code', {code!r})); print(eval('double()', vars(run.main)))",
        tmp_path,
    )
    assert done.stdout == "6\n"


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("missing", "No module named missing"),
        ("pkg.missing", "No module named pkg.missing"),
        ("pkg", "'pkg' is a package and cannot be directly executed"),
        ("plain.part", "ModuleNotFoundError: __path__ attribute not found on 'plain'"),
    ],
)
def test_a_module_that_is_not_there_is_a_target_error(
    module: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "plain.py").write_text("")
    done = run_python(
        f"""
        try:
            execute(parse_target({module!r}, module=True))
        except TargetError as error:
            print(error.message)
        """,
        tmp_path,
    )
    assert done.stdout.startswith(f"-m {module}: ")
    assert reason in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("module", ["pkg", "pkg.train"])
def test_an_import_error_inside_a_module_is_the_programs(module: str, tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("import agi_surely_not_installed")
    (tmp_path / "pkg" / "train.py").write_text("")
    done = run_python(f"finish(execute(parse_target({module!r}, module=True)))", tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith("No module named 'agi_surely_not_installed'\n")
    assert "loader.py" not in done.stderr


def test_an_archive_without_main_is_a_target_error(tmp_path: Path) -> None:
    done = run_python(
        """
        import zipfile
        with zipfile.ZipFile("app.zip", "w") as file:
            file.writestr("other.py", "")
        try:
            execute(parse_target("app.zip"))
        except TargetError as error:
            print(error.message)
        """,
        tmp_path,
    )
    assert "can't find '__main__' module" in done.stdout


def test_a_file_that_goes_before_it_is_read_is_a_target_error(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("")
    done = run_python(
        """
        import os
        try:
            execute(parse_target("program.py"), before=lambda: os.unlink("program.py"))
        except TargetError as error:
            print(error.message)
        """,
        tmp_path,
    )
    assert done.stdout.endswith("program.py cannot be read: No such file or directory\n")


def test_a_compiled_file_runs(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("print(type(__loader__).__name__, __file__[-4:])")
    done = run_python(
        """
        import py_compile
        py_compile.compile("program.py", "program.pyc")
        execute(parse_target("program.pyc"))
        """,
        tmp_path,
    )
    assert done.stdout == "SourcelessFileLoader .pyc\n"


def test_threads_have_ended_when_execute_returns(tmp_path: Path) -> None:
    code = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
results = []
def work(): time.sleep(0.2); results.append(1)
threading.Thread(target=work).start()
pool = ThreadPoolExecutor(2)
pool.submit(work)
"""
    done = run_python(f"run = execute(Target('code', {code!r})); print(run.main.results)", tmp_path)
    assert (done.stdout, done.stderr) == ("[1, 1]\n", "")


def test_a_long_wait_for_threads_is_told(tmp_path: Path) -> None:
    code = """
import threading, time
threading.Thread(target=time.sleep, args=(1.3,), name="writer").start()
"""
    done = run_python(f"execute(Target('code', {code!r}))", tmp_path)
    assert done.stderr == "agi: waiting for the program's threads to end: writer\n"


def test_only_the_original_process_comes_back(tmp_path: Path) -> None:
    code = "import os, sys; child = os.fork(); child and os.wait(); child or sys.exit(3)"
    done = run_python(
        f"run = execute(Target('code', {code!r})); print(is_original_process(), run.status)",
        tmp_path,
    )
    assert done.stdout == "True 0\n"


def test_a_program_may_recurse_nearly_as_deep_as_python_lets_it(tmp_path: Path) -> None:
    code = "down = lambda n: n and down(n - 1); print(down(960))"
    done = run_python(
        f"""
        def one(): two()
        def two(): three()
        def three(): finish(execute(Target("code", {code!r})))
        one()
        """,
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "0\n")


def test_our_imports_are_ours_and_theirs_stay_theirs(tmp_path: Path) -> None:
    for name in ("json", "graphviz", "model"):
        (tmp_path / f"{name}.py").write_text("whose = 'theirs'")
    installed = tmp_path / "installed"
    (installed / "graphviz").mkdir(parents=True)
    (installed / "graphviz" / "__init__.py").write_text("whose = 'ours'")
    (installed / "graphviz" / "dot.py").write_text("")
    (tmp_path / "program.py").write_text("import json, graphviz, model, sys; path = list(sys.path)")
    done = run_python(
        f"""
        import json
        sys.path.append({str(installed)!r})
        run = execute(parse_target("program.py"))
        def whose(): return [getattr(sys.modules[name], "whose", "ours") for name in names]
        names = ["json", "graphviz", "model"]
        print(whose())
        for _ in range(2):
            with our_imports():
                import json, graphviz.dot
                print(whose(), {str(tmp_path)!r} in sys.path, "graphviz.dot" in sys.modules)
            print(whose(), sys.path == run.main.path, "graphviz.dot" in sys.modules)
        """,
        tmp_path,
    )
    theirs, ours = str(["theirs"] * 3), str(["ours", "ours", "theirs"])
    assert done.stderr == ""
    assert done.stdout.splitlines() == [theirs, *[f"{ours} False True", f"{theirs} True False"] * 2]


def test_our_imports_before_any_program_change_nothing(tmp_path: Path) -> None:
    done = run_python(
        """
        path, modules = list(sys.path), dict(sys.modules)
        with our_imports():
            print(sys.path == path, sys.modules == modules)
        """,
        tmp_path,
    )
    assert done.stdout == "True True\n"


def test_a_library_steps_aside_only_for_a_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "installed").mkdir()
    for name in ("stays", "goes", "folder"):
        (tmp_path / "installed" / f"{name}.py").write_text("")
    (tmp_path / "goes.py").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "program.py").write_text("")
    done = run_python(
        f"""
        sys.path.append({str(tmp_path / "installed")!r})
        import stays, goes, folder
        execute(parse_target("program.py"))
        print([name in sys.modules for name in ("stays", "goes", "folder")])
        """,
        tmp_path,
    )
    assert done.stdout == "[True, False, True]\n"


@pytest.mark.parametrize(
    ("environment", "rank"),
    [
        ({}, None),
        ({"RANK": "3", "LOCAL_RANK": "1"}, 3),
        ({"LOCAL_RANK": "1"}, 1),
        ({"RANK": "", "LOCAL_RANK": "0"}, 0),
        ({"RANK": "-1"}, None),
        ({"RANK": "two"}, None),
        ({"SLURM_PROCID": "2"}, None),
        ({"SLURM_PROCID": "2", "WORLD_SIZE": "4"}, 2),
        ({"SLURM_PROCID": "2", "WORLD_SIZE": "4", "RANK": "1"}, 1),
    ],
)
def test_rank(
    environment: dict[str, str], rank: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert current_rank() == rank
