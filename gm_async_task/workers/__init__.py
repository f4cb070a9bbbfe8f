"""Workers as they report themselves, releases of their versions, and which tasks each is given."""
