"""Lets `python -m shared.ops` be the `gm` command."""

from shared.ops.cli import main

main(prog_name="gm")
