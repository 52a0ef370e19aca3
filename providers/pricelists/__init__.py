"""Price lists: what providers sell, and what operators decide about it."""
