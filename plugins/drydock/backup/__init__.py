"""The pipeline `backup`: what a database's backups are worth today, in four verdicts that are never folded into one."""
