"""The pipeline `backup` on Oracle: RMAN's repository, as the control file tells it through V$ views."""
