"""An exit handler that fails."""
import atexit


class Handler:
    def __call__(self):
        raise RuntimeError("at exit")

    def __repr__(self):
        return "<Handler>"


atexit.register(print, "still called")
atexit.register(Handler())
