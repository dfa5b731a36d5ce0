"""The store: files that count while the ledger says so, hashed, chained and expired by the policy."""
