"""Text from outside in a form that is safe in headers, logs and tables."""


def one_line(text: str, limit: int | None = None) -> str:
    """Return ``text`` on one line, of at most ``limit`` characters if given; unprintable characters become spaces."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:limit]
