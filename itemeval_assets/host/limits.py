"""Limits of the operating system on a process, where it has them."""

from contextlib import suppress
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None

_STATUS = Path("/proc/self/status")


def allow_open_files(count: int) -> None:
    """Raise the limit of open files to so many, or to what the system allows."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limit_memory(more_bytes: int) -> None:
    """Let this process allocate so much beyond what it has now. For Linux, the
    only system that counts that."""
    assert resource is not None
    lines = _STATUS.read_text().splitlines()
    data_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmData:"))
    soft = data_kb * 1024 + more_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
