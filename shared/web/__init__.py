"""The HTTP edge that the services share: strict reading of requests, envelopes, request ids, error translation."""
