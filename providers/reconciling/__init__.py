"""Orders whose outcome is unknown: which number is whose, and what waits meanwhile."""
