"""Changes the directory, then reads a file relative to it and itself."""
import os
import tempfile

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("data.txt", "w") as file:
        file.write("found")
    print(open("data.txt").read())
    print(open(__file__).readline().strip())
    os.chdir("/")
raise OSError("with source lines from where it started")
