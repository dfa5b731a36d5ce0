"""Index rebuild on PostgreSQL: REINDEX CONCURRENTLY where measured pages prove that it pays, and nowhere else."""
