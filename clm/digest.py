"""The name of a small document by its content, as footers write it. Files are hashed by `storage`, as they are read."""


def identity_of(content: bytes) -> str:
    """`sha256:` and the hexadecimal digest."""
    import hashlib  # OpenSSL behind it takes longer to load than all that --help says

    return f"sha256:{hashlib.sha256(content).hexdigest()}"
