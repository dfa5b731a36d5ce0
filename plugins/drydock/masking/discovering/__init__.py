"""Finding what is sensitive: from names, comments and values to proposals."""
