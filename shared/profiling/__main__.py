"""`python -m shared.profiling` is `gm profile` where there is no checkout, as in images."""

from shared.profiling.cli import profile

profile(prog_name="gm profile")
