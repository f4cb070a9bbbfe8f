"""Exports of order details: which formats there are, how a file is made whole, and who may have it."""
