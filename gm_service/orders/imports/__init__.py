"""Imports of orders: the row ledger, what a row must be, and how rows become orders exactly once."""
