"""Every page of the service as the demo shows it: pictures to look at, and views for axe."""
