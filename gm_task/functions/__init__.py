"""What workers run: task functions, found by dotted path."""
