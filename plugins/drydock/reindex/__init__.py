"""Weekly: rebuilds the few indexes that deserve it. The default verdict is to leave an index alone."""
