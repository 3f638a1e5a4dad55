"""A small chat's models and data, for asking two engines the same questions."""
