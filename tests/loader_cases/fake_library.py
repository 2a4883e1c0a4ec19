"""Has the name of a library that agi loads before the program."""
origin = "beside the script"
