"""A pool that is never shut down, with work still to do at the end."""
import time
from concurrent.futures import ThreadPoolExecutor


def work(number):
    time.sleep(0.1)
    print("worked", number, flush=True)


pool = ThreadPoolExecutor(2)
for number in range(2):
    pool.submit(work, number).result()
pool.submit(work, "late")
print("end of script", flush=True)
