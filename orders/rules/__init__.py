"""Business rules of orders as pure functions, without Django and without queries."""
