"""The program ``tellapart``, as the console script and ``python -m tellapart`` run it."""

import signal
import sys

from tellapart._tellapart import run_program


def main() -> None:
    """Run the program with the arguments of this process, and exit with its code."""
    # The program takes Ctrl-C over, which Python has for itself otherwise.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_program(["tellapart", *sys.argv[1:]]))
