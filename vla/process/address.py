"""The part of a server's address that may be shown."""

from urllib.parse import urlsplit


def public_address(address: str) -> str:
    """An address without user, password and query; empty when it cannot be read."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if not parts.netloc:  # a file
        return address.partition("?")[0]
    server = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=server, query="", fragment="").geturl()
