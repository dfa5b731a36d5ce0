"""Readers of audit records: Oracle's trails, PostgreSQL's logs and the exports of audit products."""
