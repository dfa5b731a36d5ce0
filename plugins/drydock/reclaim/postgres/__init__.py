"""`reclaim` on PostgreSQL: which tables hold space that nobody uses, and four ways to give it back."""
