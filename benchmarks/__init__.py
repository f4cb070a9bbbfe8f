"""Measurements that the project's promises of speed rest on; README.md says how to run them and what they showed."""
