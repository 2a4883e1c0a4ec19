"""A thread that outlives sys.exit."""
import sys
import threading
import time


def late():
    time.sleep(0.2)
    print("late", file=sys.stderr, flush=True)


threading.Thread(target=late).start()
sys.exit(eval(sys.argv[1]))
