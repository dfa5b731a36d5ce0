"""The sandbox: real PostgreSQL clusters with a lived past, a customer's backup job and planted faults, all synthetic."""
