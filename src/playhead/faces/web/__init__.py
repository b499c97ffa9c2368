"""What the hub answers over HTTP: the webhooks before all, then health and measures. Imported by ``serve`` alone."""
