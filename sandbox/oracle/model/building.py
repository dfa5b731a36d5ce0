"""A new simulated database: its files, redo, destinations and recovery area, as CREATE DATABASE and a DBA would leave them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.oracle.model.archiving import add_thread
from sandbox.oracle.model.database import Clock, OracleDatabase
from sandbox.oracle.model.files import GIB, MIB, ROOT, SEED, Container, Datafile, Tablespace
from sandbox.oracle.model.redo import Incarnation
from sandbox.oracle.model.repository import PART, ArchiveDestination, RecoveryFiles, Repository
from sandbox.oracle.model.scn import ScnClock

ENDS_AT = datetime(2026, 6, 15, 8, 0, tzinfo=UTC)  # a Monday, 16:00 in Shanghai: no job runs then
FIRST_LIMIT_BYTES = 500 * 1024 * GIB  # ample; `recovery_area.fit` sets it to what the lived database needs
SYSTEM_SPACES = {"SYSTEM": 0.9, "SYSAUX": 1.2, "UNDOTBS1": 0.6}  # GiB


@dataclass(frozen=True)
class Shape:
    """What a database is made of. `spaces`: application tablespaces with the GiB of each of their files."""

    name: str = "GZMAIN"
    unique_name: str = ""
    version: str = "19.25.0.0.0"
    edition: str = "EE"
    time_zone: str = "Asia/Shanghai"
    spaces: dict[str, tuple[float, ...]] = field(default_factory=lambda: {"USERS": (0.5,), "APP_DATA": (4, 4), "APP_IDX": (3,)})
    pdbs: tuple[str, ...] = ()
    threads: int = 1
    redo_bytes_per_s: float = 120_000.0  # of each thread, at mean load
    log_bytes: int = 512 * MIB
    scn_per_s: float = 40.0
    data_folder: str = "/u02/oradata"
    fra_folder: str = "/u03/fra"
    archive_folder: str = ""  # empty: logs go to the recovery area
    host: str = "dbhost01"
    keep_days: int = 30
    archive_lag_target_s: int = 3600
    has_spfile: bool = True
    tracks_changes: bool = True
    autobackup_row: bool = True


def new_database(seed: int, shape: Shape, created_at: datetime) -> OracleDatabase:
    """A database of this shape that begins at `created_at`, in ARCHIVELOG mode, without any backup."""
    rng = random.Random(f"{seed} {shape.name}")
    database = OracleDatabase(
        name=shape.name,
        dbid=rng.randrange(10**9, 4 * 10**9),
        unique_name=shape.unique_name or shape.name,
        version=shape.version,
        edition=shape.edition,
        is_cdb=bool(shape.pdbs),
        time_zone=shape.time_zone,
        service=shape.name.lower(),
        clock=Clock(created_at),
    )
    scn = ScnClock(seed, created_at, database.zone, scn_per_s=shape.scn_per_s)
    repository = Repository(database, seed, scn, created_at, created_at, rng)
    database.parts[PART] = repository
    set_parameters(database, shape)
    repository.keep_days, repository.host = shape.keep_days, shape.host
    repository.started_at = repository.controlfile_created_at = created_at
    database.parts["started_at"] = database.local(created_at)
    database.parameters["host_name"] = shape.host
    if shape.tracks_changes and shape.edition == "EE":
        repository.change_tracking = f"{shape.data_folder}/{database.unique_name}/change_tracking.ctf"
    if shape.threads > 1:  # every node must see it
        repository.configuration["SNAPSHOT CONTROLFILE NAME"] = f"'{shape.fra_folder or shape.data_folder}/snapcf_{shape.name}.f'"
    if shape.autobackup_row:
        repository.configuration["CONTROLFILE AUTOBACKUP"] = "ON"
    repository.incarnations.append(Incarnation(1, scn.at(created_at), created_at, repository.stamp(created_at)))
    add_destinations(repository, shape)
    add_files(repository, shape)
    for number in range(1, shape.threads + 1):
        thread = add_thread(repository, number, created_at, log_bytes=shape.log_bytes)
        thread.redo_bytes_per_s = shape.redo_bytes_per_s
    return database


def set_parameters(database: OracleDatabase, shape: Shape) -> None:
    """The init parameters that backups depend on; the simulator's SQL side shows them in V$PARAMETER."""
    database.parameters.update(
        db_create_file_dest=shape.data_folder,
        db_recovery_file_dest=shape.fra_folder,
        db_recovery_file_dest_size=str(FIRST_LIMIT_BYTES),
        control_file_record_keep_time=str(shape.keep_days),
        archive_lag_target=str(shape.archive_lag_target_s),
        cluster_database="TRUE" if shape.threads > 1 else "FALSE",
        db_block_size="8192",
        db_name=database.name,
        db_unique_name=database.unique_name,
        log_archive_format="%t_%s_%r.dbf",
        log_archive_dest_1=f"LOCATION={shape.archive_folder or 'USE_DB_RECOVERY_FILE_DEST'}",
        compatible="19.0.0",
        spfile=f"{shape.data_folder}/{database.unique_name}/spfile{database.name.lower()}.ora" if shape.has_spfile else "",
        control_files=f"{shape.data_folder}/{database.unique_name}/control01.ctl",
    )


def add_destinations(repository: Repository, shape: Shape) -> None:
    """LOG_ARCHIVE_DEST_1 and the recovery area; neither where its folder is empty."""
    if shape.fra_folder:
        repository.recovery_area = RecoveryFiles(shape.fra_folder, FIRST_LIMIT_BYTES)
    in_fra = not shape.archive_folder
    folder = shape.archive_folder or "USE_DB_RECOVERY_FILE_DEST"
    repository.destinations.append(ArchiveDestination(1, folder, in_fra=in_fra))


def add_files(repository: Repository, shape: Shape) -> None:
    """CREATE DATABASE's files and the application's; in a CDB those of the root, of PDB$SEED and of each PDB."""
    if not shape.pdbs:
        repository.containers.append(Container(0, shape.name, repository.database.dbid))
        add_spaces(repository, 0, {**system_spaces(1.0), **shape.spaces}, shape)
        return
    names = ["CDB$ROOT", "PDB$SEED", *shape.pdbs]
    for con_id, name in enumerate(names, start=ROOT):
        dbid = repository.database.dbid if con_id == ROOT else repository.random.randrange(10**9, 4 * 10**9)
        mode = "READ ONLY" if con_id == SEED else "READ WRITE"
        repository.containers.append(Container(con_id, name, dbid, mode))
        spaces = system_spaces(1.0 if con_id == ROOT else 0.4)
        add_spaces(repository, con_id, {**spaces, **(shape.spaces if con_id > SEED else {})}, shape)
    for datafile in repository.datafiles:
        if datafile.con_id == SEED:  # open read-only since it was made: its checkpoint stands still
            datafile.stop_scn, datafile.stop_at = datafile.creation_scn + 900, repository.created_at


def system_spaces(scale: float) -> dict[str, tuple[float, ...]]:
    return {name: (size * scale,) for name, size in SYSTEM_SPACES.items()}


def add_spaces(repository: Repository, con_id: int, spaces: dict[str, tuple[float, ...]], shape: Shape) -> None:
    for name, sizes in spaces.items():
        add_tablespace(repository, name, sizes, con_id, at=repository.created_at, folder=shape.data_folder)


def add_tablespace(
    repository: Repository,
    name: str,
    sizes_gib: tuple[float, ...] = (1.0,),
    con_id: int = 0,
    at: datetime | None = None,
    folder: str = "",
    files: tuple[int, ...] = (),
) -> list[Datafile]:
    """CREATE TABLESPACE (SQL Language Reference). `files`: FILE# to take; else the lowest free ones, as Oracle does."""
    at = at or repository.now
    number = 1 + max((t.number for t in repository.tablespaces if t.con_id == con_id), default=-1)
    tablespace = Tablespace(number, name, con_id, is_bigfile=len(sizes_gib) == 1 and sizes_gib[0] > 64)
    repository.tablespaces.append(tablespace)
    made = []
    for index, size in enumerate(sizes_gib):
        file = files[index] if index < len(files) else lowest_free_file(repository)
        made.append(add_datafile(repository, tablespace, file, size, at, folder))
    return made


def lowest_free_file(repository: Repository) -> int:
    used = {f.file for f in repository.datafiles if not f.is_dropped}
    return next(n for n in range(1, len(used) + 2) if n not in used)


def add_datafile(
    repository: Repository, tablespace: Tablespace, file: int, size_gib: float, at: datetime, folder: str = ""
) -> Datafile:
    """ALTER TABLESPACE ADD DATAFILE: a file that no backup knows yet."""
    rng = repository.random
    blocks = int(size_gib * GIB / 8192) // 128 * 128
    unique = repository.database.unique_name
    container = next((c.name for c in repository.containers if c.con_id == tablespace.con_id and c.con_id > ROOT), "")
    folder = folder or repository.database.parameters["db_create_file_dest"]
    place = "/".join(part for part in (folder, unique, container.replace("$", "").lower()) if part)
    datafile = Datafile(
        file=file,
        tablespace=tablespace,
        name=f"{place}/{tablespace.name.lower()}{sum(f.tablespace is tablespace for f in repository.datafiles) + 1:02d}.dbf",
        creation_scn=repository.scn.at(at) + 7 * file,  # CREATE DATABASE makes its files one after another
        created_at=at,
        blocks=blocks,
        used_blocks=int(blocks * rng.uniform(0.55, 0.85)),
        con_id=tablespace.con_id,
        relative_file=file,
        status="SYSTEM" if tablespace.name == "SYSTEM" else "ONLINE",
        churn_per_day=rng.uniform(0.01, 0.05),
        growth_per_day=rng.uniform(0.0003, 0.002),
    )
    repository.datafiles.append(datafile)
    return datafile


def start_of(ends_at: datetime, days: float) -> datetime:
    """When a database that has lived `days` at `ends_at` began, in whole seconds."""
    return (ends_at - timedelta(days=days)).replace(microsecond=0)
