"""Signed internal calls: the signature itself, who makes it, who checks it, and where nonces are remembered."""
