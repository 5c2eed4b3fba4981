"""``python -m tellapart``: the program."""

from tellapart._cli import main

main()
