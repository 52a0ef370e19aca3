"""Pure rules of orders: no Django, no queries."""
