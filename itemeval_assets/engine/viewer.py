"""inspect's own viewer of logs."""

from inspect_ai._view.fastapi_server import view_server

_HOST = "127.0.0.1"


def serve_viewer(folder: str, port: int) -> bool:
    """Serve the logs below a folder, or a prefix of a bucket, on this machine, until a signal.

    False where the port was taken in the meantime. inspect's `view` would end the process whose
    number it has noted for the port, whatever process has this number by now.
    """
    is_free = True
    try:
        view_server(log_dir=folder, host=_HOST, port=port)
    except* KeyboardInterrupt:
        # The server ends in good order first, and then gives the signal on.
        pass
    except* SystemExit:
        is_free = False
    return is_free
