"""T122: gunicorn loads the service and its keys, and forks workers from then on. Every request is answered."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time

REQUESTS = 60


class Connection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def wait_for(path, server):
    for _ in range(600):
        if os.path.exists(path):
            return
        assert server.poll() is None, "gunicorn has ended"
        time.sleep(0.1)
    raise SystemExit("gunicorn does not listen")


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "socket")
    server = subprocess.Popen(
        [sys.executable, "-B", "-m", "gunicorn", "--preload", "--workers", "2", "--max-requests", "4", "--timeout", "30"]
        + ["--log-level", "warning", "--bind", "unix:" + path, "service:application"],
        cwd=os.path.dirname(os.path.abspath(__file__)),
    )
    try:
        wait_for(path, server)
        workers = set()
        for number in range(REQUESTS):
            connection = Connection(path)
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"slept better"), number
            workers.add(answer.headers["X-Worker"])
            connection.close()
    finally:
        server.terminate()
        server.wait(timeout=60)
assert len(workers) > 8, workers
print(f"{REQUESTS} answers from {len(workers)} workers\ndone")
