"""Files that exports must equal; `python -m tests.golden` makes them anew; people judge the difference."""
