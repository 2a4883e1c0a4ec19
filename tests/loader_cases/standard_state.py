"""State of the interpreter that nobody should have touched."""
import gc
import locale
import random
import signal
import sys
import threading
import warnings

print(gc.isenabled(), gc.get_threshold(), gc.get_freeze_count())
print(sys.gettrace(), sys.getprofile(), sys.getswitchinterval(), sys.dont_write_bytecode)
print(threading.active_count(), threading.excepthook is threading.__excepthook__)
print(warnings.filters)
print(sys.stdout.encoding, sys.stdout.errors, sys.stdout.line_buffering, locale.getlocale())
print(signal.getsignal(signal.SIGPIPE), sys.unraisablehook is sys.__unraisablehook__)
random.seed(0)
print(random.random())
