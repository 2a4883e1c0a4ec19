"""The usual end of a script."""
import sys


def main(arguments=None):
    print("main", arguments or sys.argv[1:])
    return 3


if __name__ == "__main__":
    sys.exit(main())
