"""Tests; docs/testing.md says which room holds what."""
