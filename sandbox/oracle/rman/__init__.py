"""A simulator of the `rman` client on the host of a simulated database. It asks the model over a UNIX socket."""
