"""A thread that outlives the script."""
import threading
import time


def late():
    time.sleep(0.3)
    print("late", threading.main_thread().name, value, flush=True)


threading.Thread(target=late).start()
value = "set last"
print("end of script", flush=True)
