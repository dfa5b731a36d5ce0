"""What RMAN 19c says, in English and Chinese, by a name of its own. Headings of tables are English in both.

Database Error Messages 19c (texts by number); Backup and Recovery Reference 19c (layouts of VALIDATE, RESTORE, REPORT, LIST).
"""

from __future__ import annotations

MESSAGES = {
    "connected": ("connected to target database: {name} (DBID={dbid})", "已连接到目标数据库: {name} (DBID={dbid})"),
    "not_started": ("connected to target database (not started)", "已连接到目标数据库 (未启动)"),
    "no_catalog": ("using target database control file instead of recovery catalog", "使用目标数据库控制文件替代恢复目录"),
    "allocated": ("allocated channel: {channel}", "分配的通道: {channel}"),
    "channel_is": ("channel {channel}: SID={sid} device type=DISK", "通道 {channel}: SID={sid} 设备类型=DISK"),
    "using_channel": ("using channel {channel}", "使用通道 {channel}"),
    "starting": ("Starting {what} at {at}", "启动 {what} 于 {at}"),
    "finished": ("Finished {what} at {at}", "完成 {what} 于 {at}"),
    "start_files": (
        "channel {channel}: starting validation of datafile backup set",
        "通道 {channel}: 正在开始验证数据文件备份集",
    ),
    "start_logs": (
        "channel {channel}: starting validation of archived log backup set",
        "通道 {channel}: 正在开始验证归档日志备份集",
    ),
    "start_copy": ("channel {channel}: starting validation of datafile", "通道 {channel}: 正在开始验证数据文件"),
    "specifying": ("channel {channel}: specifying datafile(s) for validation", "通道 {channel}: 正在指定数据文件以进行验证"),
    "input_file": ("input datafile file number={file:05d} name={name}", "输入数据文件: 文件号={file:05d} 名称={name}"),
    "input_copy": (
        "input datafile copy RECID={recid} STAMP={stamp} file name={name}",
        "输入数据文件副本 RECID={recid} STAMP={stamp} 文件名={name}",
    ),
    "reading": ("channel {channel}: reading from backup piece {handle}", "通道 {channel}: 正在读取备份片段 {handle}"),
    "piece": ("channel {channel}: piece handle={handle} tag={tag}", "通道 {channel}: 段句柄 = {handle} 标记 = {tag}"),
    "restored": ("channel {channel}: restored backup piece {piece}", "通道 {channel}: 已还原备份片段 {piece}"),
    "validated": (
        "channel {channel}: validation complete, elapsed time: {elapsed}",
        "通道 {channel}: 验证完成, 用时: {elapsed}",
    ),
    "scanning_log": ("channel {channel}: scanning archived log {name}", "通道 {channel}: 正在扫描归档日志 {name}"),
    "scanning_copy": ("channel {channel}: scanning datafile copy {name}", "通道 {channel}: 正在扫描数据文件副本 {name}"),
    "skipping": (
        "skipping datafile {file}; already restored to file {name}",
        "跳过数据文件 {file}; 已还原到文件 {name}",
    ),
    "failover_copy": ("failover to duplicate backup", "故障转移到备份的副本"),
    "failover": ("failover to previous backup", "故障转移到上一个备份"),
    "found_corrupt": (
        "validate found one or more corrupt blocks\nSee trace file {trace} for details",
        "验证找到一个或多个损坏的块\n有关详细信息, 请参阅跟踪文件 {trace}",
    ),
    "crosschecked": (
        "crosschecked backup piece: found to be '{status}'\nbackup piece handle={handle} RECID={recid} STAMP={stamp}",
        "交叉校验备份片段: 找到为 '{status}'\n备份片段句柄={handle} RECID={recid} STAMP={stamp}",
    ),
    "crosschecked_all": ("Crosschecked {count} objects", "已交叉检验的 {count} 对象"),
    "policy_applied": ("RMAN retention policy will be applied to the command", "RMAN 保留策略将应用于该命令"),
    "policy_redundancy": ("RMAN retention policy is set to redundancy {number}", "将 RMAN 保留策略设置为冗余 {number}"),
    "policy_window": (
        "RMAN retention policy is set to recovery window of {number} days",
        "将 RMAN 保留策略设置为 {number} 天的恢复窗口",
    ),
    "need_redundancy": (
        "Report of files with less than {number} redundant backups",
        "冗余备份少于 {number} 个的文件报表",
    ),
    "need_window": (
        "Report of files that must be backed up to satisfy {number} days recovery window",
        "必须备份以满足 {number} 天恢复窗口所需的文件报表",
    ),
    "unrecoverable": (
        "Report of files that need backup due to unrecoverable operations",
        "由于不可恢复操作而需要备份的文件报表",
    ),
    "configuration": (
        "RMAN configuration parameters for database with db_unique_name {name} are:",
        "db_unique_name 为 {name} 的数据库的 RMAN 配置参数为:",
    ),
    "looking": (
        "channel {channel}: looking for AUTOBACKUP on day: {day}",
        "通道 {channel}: 寻找以下日期的 AUTOBACKUP: {day}",
    ),
    "autobackup_found": ("channel {channel}: AUTOBACKUP found: {handle}", "通道 {channel}: 已找到的 AUTOBACKUP: {handle}"),
    "start_scn": ("Media recovery start SCN is {scn}", "介质恢复的起始 SCN 为 {scn}"),
    "beyond_scn": (
        "Recovery must be done beyond SCN {scn} to clear datafile fuzziness",
        "必须在 SCN {scn} 之外进行恢复以清除数据文件的模糊状态",
    ),
    "complete": ("Recovery Manager complete.", "恢复管理器完成。"),
    "RMAN-00552": ("syntax error in command line arguments", "命令行参数存在语法错误"),
    "RMAN-00554": ("initialization of internal recovery manager package failed", "内部恢复管理器程序包初始化失败"),
    "RMAN-00556": ('could not open CMDFILE "{name}"', '无法打开 CMDFILE "{name}"'),
    "RMAN-00558": ("error encountered while parsing input commands", "分析输入命令时出错"),
    "RMAN-01009": (
        'syntax error: found "{word}": expecting one of: "validate, restore"',
        '语法错误: 找到 "{word}": 应为以下之一: "validate, restore"',
    ),
    "RMAN-03002": ("failure of {what} command at {at}", "{what} 命令 (在 {at} 上) 失败"),
    "RMAN-03009": (
        "failure of {what} command on {channel} channel at {at}",
        "{what} 命令 (在 {channel} 通道上, 在 {at} 上) 失败",
    ),
    "RMAN-04005": ("error from target database: ", "目标数据库中存在错误: "),
    "RMAN-06023": ("no backup or copy of datafile {file} found to restore", "没有找到数据文件{file}的备份或副本来还原"),
    "RMAN-06024": ("no backup or copy of the control file found to restore", "没有找到控制文件的备份或副本来还原"),
    "RMAN-06025": (
        "no backup of archived log for thread {thread} with sequence {sequence} and starting SCN of {scn} found to restore",
        "找不到线程 {thread} 序列 {sequence} 起始 SCN 为 {scn} 的归档日志的备份以用于还原",
    ),
    "RMAN-06026": ("some targets not found - aborting restore", "有些目标没有找到 - 终止还原"),
    "RMAN-06160": ("no backup pieces found for backup set key: {key}", "没有找到备份集关键字 {key} 的备份片段"),
    "RMAN-06525": ("RMAN retention policy is set to none", "RMAN 保留策略设置为无"),
    "RMAN-06729": ("no backup of the SPFILE found to restore", "没有找到要还原的 SPFILE 的备份"),
    "RMAN-20230": ("datafile copy not found in the repository", "在资料档案库中未找到数据文件副本"),
    "RMAN-20242": ("specification does not match any archived log in the repository", "说明与资料档案库中的任何归档日志均不匹配"),
    "ORA-01034": ("ORACLE not available", "ORACLE 不可用"),
    "ORA-12162": ("TNS:net service name is incorrectly specified", "TNS: 网络服务名指定不正确"),
    "ORA-27101": ("shared memory realm does not exist", "共享内存领域不存在"),
    "ORA-19501": (
        'read error on file "{name}", block number {block} (block size={block_bytes})',
        '文件 "{name}", 块编号 {block} (块大小={block_bytes}) 上出现读取错误',
    ),
    "ORA-19502": (
        'write error on file "{name}", block number {block} (block size={block_bytes})',
        '文件 "{name}", 块编号 {block} (块大小={block_bytes}) 上出现写入错误',
    ),
    "ORA-19505": ('failed to identify file "{name}"', '无法识别文件"{name}"'),
    "ORA-19599": ("block number {block} is corrupt in {kind} {name}", "块编号 {block} 在 {kind} {name} 中已损坏"),
    "ORA-19612": (
        "datafile {file} not restored due to missing or corrupt data",
        "由于丢失数据或数据损坏, 未还原数据文件 {file}",
    ),
    "ORA-19625": ("error identifying file {name}", "标识文件 {name} 时出错"),
    "ORA-19870": ("error while restoring backup piece {handle}", "还原备份片段 {handle} 时出错"),
    "ORA-19913": ("unable to decrypt backup", "无法解密备份"),
    "ORA-27037": ("unable to obtain file status", "无法获得文件状态"),
    "ORA-27072": ("File I/O error", "文件 I/O 错误"),
    "ORA-28365": ("wallet is not open", "Wallet 未打开"),
}
BANNER = """
{name}: Release 19.0.0.0.0 - Production on {at}
Version {version} [Drydock simulator]

Nothing of Oracle runs here: this output is computed from a model.
"""
NAMES = ("Recovery Manager", "恢复管理器")
NO_FILE = ("Linux-x86_64 Error: 2: No such file or directory", "Additional information: 7")
IO_FAILED = ("Linux-x86_64 Error: 5: Input/output error", "Additional information: 4")
DISK_FULL = ("Linux-x86_64 Error: 28: No space left on device", "Additional information: 4")


def language_of(nls_lang: str) -> int:
    """Column of MESSAGES for an NLS_LANG."""
    return 1 if nls_lang.upper().startswith("SIMPLIFIED CHINESE") else 0


def code_page_of(nls_lang: str) -> str:
    """Python's name of the client character set of an NLS_LANG."""
    charset = nls_lang.rpartition(".")[2].upper()
    return {"ZHS16GBK": "gbk", "ZHS32GB18030": "gb18030", "WE8MSWIN1252": "cp1252", "US7ASCII": "ascii"}.get(charset, "utf-8")
