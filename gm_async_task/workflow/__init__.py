"""XingQiao: jobs are graphs of tasks, described by plugins and advanced by events."""
