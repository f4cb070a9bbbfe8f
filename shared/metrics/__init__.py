"""What the services tell Prometheus: the table of metrics, how processes keep them, who may read them."""
