"""The servers of `make stack`: how each is set up, started as a normal user, and asked whether it is there."""
