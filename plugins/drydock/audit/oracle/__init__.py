"""The audit trails of Oracle: unified, traditional and fine-grained."""
