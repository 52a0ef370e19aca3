"""The HTTP client that talks to panels: what does not depend on any panel."""
