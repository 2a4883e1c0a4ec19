"""Exit handlers see the globals; `__file__` is one of them only after sys.exit."""
import atexit
import sys

state = ["set"]


@atexit.register
def first_registered():
    print("handler", state, __name__, "__file__" in globals(), sys.modules["__main__"].state)


@atexit.register
def second_registered():
    state.append("changed at exit")


if sys.argv[1:] == ["exit"]:
    sys.exit()
if sys.argv[1:] == ["raise"]:
    raise ValueError("before exit")
