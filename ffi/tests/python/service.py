"""A service for gunicorn: the key is loaded before the workers are forked, and threads use the library meanwhile."""

import os
import threading

import story

world = story.World()
loaded_in = os.getpid()
threading.Thread(target=story.churn, daemon=True).start()


def application(_environment, start_response):
    assert os.getpid() != loaded_in
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Worker", str(os.getpid()))])
    return [world.open_note()]
