"""What at least two services use: the task contract with both its ends, errors, settings, logging, the broker."""
