"""The project: settings, urls, asgi, and what all the apps share."""
