"""``python -m mailguard``: the same as the command ``mailguard``."""

from mailguard.cli import main

main(prog_name="mailguard")
