"""Masked copies on PostgreSQL: where to and where from, what is built, copied, delivered and destroyed."""
