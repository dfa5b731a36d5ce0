"""Make the environment: a virtual environment in .venv with everything in requirements.txt. Standard library only.

This file must parse on old Pythons too, so that a wrong one is told in one line and not in a stack trace.
Every failure is one line on standard error and exit code 1.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
STAMP = os.path.join(VENV, "drydock-environment")
OLDEST = (3, 11)
NEEDED_BYTES = 4 * 1024**3
PYTHONS = ["python3.14", "python3.13", "python3.12", "python3.11"]


def stop(line):
    sys.stderr.write("drydock: " + line + "\n")
    sys.exit(1)


def use_right_python():
    """Go on under a Python that is new enough, or say which is needed."""
    if sys.version_info[:2] >= OLDEST:
        return
    for name in PYTHONS:
        path = shutil.which(name)
        if path:
            os.execv(path, [path, os.path.abspath(__file__)] + sys.argv[1:])
    stop(
        "Python 3.11 or later is needed and this is %d.%d; install one, or run `make setup PYTHON=/path/to/python3.11`."
        % sys.version_info[:2]
    )


def check_disk():
    free = shutil.disk_usage(HERE).free
    if free < NEEDED_BYTES:
        stop("the disk of %s has %.1f GB free and %.0f GB are needed; free some space." % (HERE, free / 1e9, NEEDED_BYTES / 1e9))


def fingerprint():
    """What the environment was made from: when it differs, the environment is made anew."""
    with open(os.path.join(HERE, "requirements.txt"), "rb") as f:
        content = f.read()
    return hashlib.sha256(content + sys.version.encode() + HERE.encode()).hexdigest()


def is_ready():
    try:
        with open(STAMP) as f:
            return f.read() == fingerprint()
    except OSError:
        return False


def run(arguments, env=None):
    """Run quietly; returns the last lines of what it said, or None when all went well."""
    process = subprocess.run(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if process.returncode == 0:
        return None
    return process.stdout or "exit code %d" % process.returncode


def explain(output):
    """One line for the usual reasons why an installation fails."""
    low = output.lower()
    network = ("connection", "resolve", "network", "timed out", "timeout", "dns", "certificate", "no matching distribution")
    if "no space left" in low:
        return "the disk is full; free 4 GB and run again."
    if any(word in low for word in network):
        return "the package index cannot be reached; check the network, or set PIP_INDEX_URL to a mirror, and run again."
    if "ensurepip" in low:
        return "this Python cannot make virtual environments; install its venv package, or put `uv` on the PATH."
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return "the environment could not be made: " + (lines[-1] if lines else "no reason given")


def make_venv(uv):
    shutil.rmtree(VENV, ignore_errors=True)
    if uv:
        failed = run([uv, "venv", "--quiet", "--python", sys.executable, VENV])
    else:
        failed = run([sys.executable, "-m", "venv", VENV])
    if failed:
        stop(explain(failed))


def uv_environment():
    """uv does not read pip's settings: hand over the mirror that the site configured for pip."""
    env = dict(os.environ)
    pip = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        universal_newlines=True,
    )
    mirror = os.environ.get("PIP_INDEX_URL") or (pip.stdout.strip() if pip.returncode == 0 else "")
    if mirror:
        env.setdefault("UV_DEFAULT_INDEX", mirror)
    return env


def pinned(package):
    with open(os.path.join(HERE, "requirements.txt")) as f:
        return next(line.split(";")[0].strip() for line in f if line.startswith(package + "=="))


def install(uv):
    python = os.path.join(VENV, "bin", "python")
    requirements = os.path.join(HERE, "requirements.txt")
    if not uv and run([python, "-m", "pip", "install", "--quiet", pinned("uv")]) is None:
        uv = os.path.join(VENV, "bin", "uv")  # several times faster than pip; where it cannot be had, pip does it all
    if uv:
        arguments = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "-r", requirements]
        failed = run(arguments, uv_environment())
    else:
        failed = run([python, "-m", "pip", "install", "--quiet", "--compile", "-r", requirements])
    if failed:
        stop(explain(failed))


def add_own_code():
    """A .pth file puts plugins/ on the path, so that `.venv/bin/python -m drydock` works from anywhere."""
    version = "python%d.%d" % sys.version_info[:2]
    site = os.path.join(VENV, "lib", version, "site-packages")
    with open(os.path.join(site, "drydock.pth"), "w") as f:
        f.write(os.path.join(HERE, "plugins") + "\n")
    with open(STAMP, "w") as f:
        f.write(fingerprint())


def main():
    use_right_python()
    if sysconfig.get_platform().split("-")[0] != "linux":
        stop("Linux is needed; this is %s." % sysconfig.get_platform())
    if is_ready():
        return
    check_disk()
    uv = shutil.which("uv")
    sys.stdout.write("Making the environment in .venv (a minute or two the first time) ...\n")
    sys.stdout.flush()
    make_venv(uv)
    install(uv)
    add_own_code()


if __name__ == "__main__":
    main()
