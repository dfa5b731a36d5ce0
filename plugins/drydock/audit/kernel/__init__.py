"""The compiled kernel of the audit: forms of statements and rows of PostgreSQL logs; without a compiler Python does the same."""
