"""Tests that know only the service's address: they read its contract, never its code."""
