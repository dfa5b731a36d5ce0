"""Dictionary views of the backup model; importing this module registers all of them (Database Reference 19c, column by column).

What a column means and which of its values occur is the Reference's; columns that the model does not hold are not given.
"""

from __future__ import annotations

from sandbox.oracle import views_backup_files, views_backup_jobs, views_backup_redo, views_backup_sets

__all__ = ["views_backup_files", "views_backup_jobs", "views_backup_redo", "views_backup_sets"]
