"""What is too long for every change: `make chaos`."""
