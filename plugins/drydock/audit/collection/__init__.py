"""Collecting: what is in a source's stretch of time, each record once, in the form of the store."""
