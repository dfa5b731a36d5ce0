"""What PostgreSQL leaves on disk: base backups, plain or tar, with their manifests and labels, and write-ahead log."""
