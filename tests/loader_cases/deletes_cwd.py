"""Its directory is gone before it ends."""
import os
import tempfile

folder = tempfile.mkdtemp()
os.chdir(folder)
os.rmdir(folder)
try:
    os.getcwd()
except FileNotFoundError as error:
    print(error.strerror)
if __name__ == "__main__":
    raise SystemExit(4)
