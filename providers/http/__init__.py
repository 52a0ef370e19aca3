"""Safe HTTP client for calls to other servers: limits, wire phases, address rules and redaction."""
