"""What there is to know about `__main__`."""
import builtins
import sys

module = sys.modules["__main__"]
print(list(globals()))
print(__name__, __package__, __builtins__ is builtins, globals().get("__cached__", "none"))
print(globals().get("__file__", "no file"))
print(getattr(__loader__, "__name__", None), type(__loader__).__name__)
print(getattr(__loader__, "path", "no path"))
print(__spec__ and (__spec__.name, __spec__.origin, __spec__.parent, __spec__.cached))
print(type(module), module.__dict__ is globals(), locals() is globals(), "__mp_main__" in sys.modules)
print(sys._getframe().f_code.co_filename, sys._getframe().f_code.co_name, sys.exc_info())
