"""Running the platform: the `gm` command and what its subcommands drive."""
