"""Alembic environment. The connection and its transaction come from `drydock.ledger.migrate`; there is no alembic.ini."""

from __future__ import annotations

from alembic import context

from drydock.ledger.migrate import COMPARED

context.configure(connection=context.config.attributes["connection"], **COMPARED)
with context.begin_transaction():
    context.run_migrations()
