"""Lists the workers of every host, and ends those that nobody wants: `gm ops workers`."""
