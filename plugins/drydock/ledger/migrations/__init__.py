"""Alembic's folder: the environment, and one file in `versions/` for each shape the ledger has had."""
