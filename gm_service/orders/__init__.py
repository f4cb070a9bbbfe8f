"""Orders of stations: storing, exporting and importing them."""
