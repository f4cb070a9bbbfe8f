"""Releases a new version of the workers beside the old one: `gm ops release`."""
