"""inspect's own viewer of logs."""

import inspect_ai

_HOST = "127.0.0.1"


def serve_viewer(folder: str, port: int) -> None:
    """Serve the logs below a folder, or a prefix of a bucket, on this machine, until a signal."""
    try:
        inspect_ai.view(log_dir=folder, host=_HOST, port=port)
    except* KeyboardInterrupt:
        # Its server ends in good order first, and then gives the signal on.
        pass
