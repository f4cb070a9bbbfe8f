"""Stations, the people who sign in to them, and the tokens of their programs."""
