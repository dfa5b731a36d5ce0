"""One module per database engine: connect, query, execute, cancel, classify errors, load figures."""
