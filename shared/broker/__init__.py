"""The doorbell that tells workers to look: one message names one task; the database row is the truth."""
