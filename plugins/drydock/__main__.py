"""`python -m drydock`: see `drydock.cli`."""

from __future__ import annotations

import sys

from drydock.cli import main

if __name__ == "__main__":
    sys.exit(main())
