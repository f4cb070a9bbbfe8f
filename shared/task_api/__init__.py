"""The task contract, both ends: what travels, how a caller asks, how a worker runs, and a double for tests."""
