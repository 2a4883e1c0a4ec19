"""Options of its own, some of which agi has as well."""
import argparse

parser = argparse.ArgumentParser(description="train")
parser.add_argument("-o", "--output")
parser.add_argument("-q", action="store_true")
parser.add_argument("-e", "--expr")
parser.add_argument("--step", type=int)
parser.add_argument("rest", nargs="*")
print(parser.parse_args())
