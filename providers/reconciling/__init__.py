"""Orders whose outcome is unknown: evidence, the search among the panel's order numbers, and decisions."""
