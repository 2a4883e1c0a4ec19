"""Is told to end, with and without a handler of its own."""
import os
import signal
import sys

print(signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
sys.stdout.flush()
if sys.argv[1:] == ["handler"]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(12))
try:
    os.kill(os.getpid(), signal.SIGTERM)
finally:
    print("finally")
