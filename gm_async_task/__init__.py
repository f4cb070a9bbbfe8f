"""The owner of the task table: every state change, leases, the keeper, and the internal HTTP API."""
