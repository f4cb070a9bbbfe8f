"""Commands of the `gm` program."""
