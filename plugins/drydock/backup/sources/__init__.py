"""Each module here knows one kind of backup; `registry` says which one a database has."""
