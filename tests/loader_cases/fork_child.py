"""A forked child that runs off the end of the script as its parent does."""
import atexit
import os
import sys

atexit.register(lambda: print("exit handler of", who, flush=True))
child = os.fork()
who = "parent" if child else "child"
if child:
    _, status = os.waitpid(child, 0)
    print("child ended with", os.waitstatus_to_exitcode(status), flush=True)
elif sys.argv[1:] == ["exit"]:
    sys.exit(9)
elif sys.argv[1:] == ["message"]:
    sys.exit("child's last words")
elif sys.argv[1:] == ["raise"]:
    raise ValueError("in the child")
elif sys.argv[1:] == ["interrupt"]:
    raise KeyboardInterrupt
