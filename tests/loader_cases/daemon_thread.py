"""A daemon thread does not hold the process up."""
import threading
import time

threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
print("done")
