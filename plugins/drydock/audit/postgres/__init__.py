"""The audit trail of PostgreSQL: the server's own log, with pgaudit or without."""
