"""What gateways share on the wire: HTTP requests, exact JSON, signatures, and reading untrusted values."""
