"""The command `view`: inspect's viewer of logs, with the scores of a study."""

from .addresses import OWN_HOSTS, listening
from .pages import open_when_it_answers

_ANOTHER = "another viewer"


def serve_logs(folder: str, port: int, *, open_page: bool = False) -> None:
    """Serve the logs below a folder, or a prefix of a bucket, until a signal ends it.

    `open_page`: open it in the browser, as soon as it answers. Raises ConfigError where the port is
    in use.
    """
    from itemeval_assets.engine.viewer import serve_viewer  # noqa: PLC0415 (loads inspect_ai)

    listening(port, _ANOTHER).close()  # inspect opens the port itself
    if open_page:
        open_when_it_answers(f"http://{OWN_HOSTS[0]}:{port}")
    if not serve_viewer(folder, port):
        listening(port, _ANOTHER).close()
