"""The web application: health, webhooks and the unsubscribe page."""
