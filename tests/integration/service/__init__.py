"""gm_service over the fake task API, through its HTTP edge."""
