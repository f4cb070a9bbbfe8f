"""Commands of the `gm` program on real processes."""
