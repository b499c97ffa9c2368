"""Webhooks over HTTP: a plain ASGI application, for it is asked often and must answer at once."""
