"""Standard input is the script's."""
import sys

print(input("name? "))
print(sys.stdin.readline().strip(), "|", sys.stdin.read().split())
input()
