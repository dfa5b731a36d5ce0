"""What the host of a database adds to its survey: the alert log's last day, and the real room under the recovery area.

A host that is not named, does not answer, or has an older script adds nothing, and nothing is claimed: why it cannot be
asked is told by the step that reads back. The alert log comes by its end, so that nothing needs to be remembered of it.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime

from drydock.backup.facts import Survey
from drydock.backup.oracle.alert_state import AlertState
from drydock.backup.oracle.alerts import complete_alerts, read_newest
from drydock.backup.oracle.catalogue import OracleCatalogue
from drydock.estate import Database
from drydock.rman.far_side import FarSide, RmanTrouble
from drydock.rman.jobs import TAIL_BYTES, ask_free_bytes, fetch_alert_tail

log = logging.getLogger(__name__)

FOLDER = re.compile(r"/[A-Za-z0-9._/+%@=,:#$-]{1,500}")


def with_host_facts(survey: Survey, database: Database, far_side: FarSide | None, now: datetime) -> Survey:
    """The survey with what its host tells at `now`; as it is where there is nobody to ask."""
    host = database.backup.rman
    if host is None or far_side is None:
        return survey
    try:
        tail = fetch_alert_tail(far_side, host.sid)
        alerts = read_newest(tail, len(tail) < TAIL_BYTES, now, database.zone)
        told = _with_alerts(survey, alerts)
    except RmanTrouble as trouble:
        log.info("%s: the alert log is not read: %s", database.id, trouble)
        told = survey
        if trouble.code in ("rman_unreachable", "rman_login", "rman_host_key"):
            return survey  # the next question would wait as long
    return _with_room(told, far_side, host.sid)


def _with_alerts(survey: Survey, alerts: AlertState) -> Survey:
    """Kept with the survey. A database that let nobody in is not judged by its records, so that the log is all that tells why."""
    told = survey.model_copy(update={"alerts": alerts})
    if survey.catalogue is not None:
        return told
    return told.model_copy(update={"problems": (*survey.problems, *complete_alerts(told))})


def _with_room(survey: Survey, far_side: FarSide, sid: str) -> Survey:
    """The recovery area's file system as it is: SPACE_LIMIT may promise more than the disk has."""
    catalogue = survey.catalogue
    area = catalogue.recovery_area if catalogue else None
    if area is None or area.device_free_bytes is not None or not _is_folder(area.name):
        return survey
    try:
        free_bytes = ask_free_bytes(far_side, sid, area.name)
    except RmanTrouble as trouble:
        log.info("%s: the room under %s is not known: %s", survey.database, area.name, trouble)
        return survey
    return survey.model_copy(update={"catalogue": _with_free(catalogue, free_bytes)})


def _is_folder(name: str) -> bool:
    """A path that the far side takes; a disk group (+FRA) has told its room by a view."""
    return FOLDER.fullmatch(name) is not None and ".." not in name


def _with_free(catalogue: OracleCatalogue, free_bytes: int) -> OracleCatalogue:
    area = catalogue.recovery_area.model_copy(update={"device_free_bytes": free_bytes})
    return catalogue.model_copy(update={"recovery_area": area})
