"""Why something is slow: profiles, SQL ledgers, memory, and the report that explains them."""
