"""T122: keys are loaded before the fork, while threads use the library. Every child answers: under multiprocessing with
fork, and under a server that forks its workers as gunicorn does."""

import multiprocessing
import os
import signal
import socket
import threading

import story

WORKERS, ANSWERS, REQUESTS = 2, 4, 60
world = None


def work(number):
    """In a child: the parent's key opens and seals, and a new object is made."""
    signal.alarm(60)
    assert world.open_note() == b"slept better"
    story.make("registrar_generate")
    return len(story.seal(world.vault, world.key, b"r-2", number + 1, b"slept worse"))


def under_multiprocessing():
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        lengths = pool.map_async(work, range(40), chunksize=1).get(timeout=300)
    assert len(lengths) == 40 and len(set(lengths)) == 1


def serve(listener):
    """One worker: some answers, and its end."""
    for number in range(ANSWERS):
        connection, _ = listener.accept()
        with connection:
            connection.sendall(str(work(number)).encode())
    os._exit(0)


def fork_worker(listener):
    pid = os.fork()
    if pid == 0:
        try:
            serve(listener)
        finally:
            os._exit(1)
    return pid


def master(listener, wanted):
    """Starts workers, and a new one for each that ends, until all answers must have been given."""
    alive = {fork_worker(listener) for _ in range(WORKERS)}
    started = WORKERS
    while alive:
        pid, status = os.wait()
        if pid not in alive:
            continue
        alive.remove(pid)
        assert status == 0, f"a worker ended with {status}"
        if started * ANSWERS < wanted:
            alive.add(fork_worker(listener))
            started += 1


def client(address, answers):
    for _ in range(REQUESTS):
        with socket.create_connection(address, timeout=120) as connection:
            answers.append(connection.recv(100))


def under_a_server():
    listener = socket.create_server(("127.0.0.1", 0))
    answers = []
    thread = threading.Thread(target=client, args=(listener.getsockname(), answers), daemon=True)
    thread.start()
    master(listener, REQUESTS)
    thread.join(timeout=120)
    assert len(answers) == REQUESTS and len(set(answers)) == 1 and b"" not in answers, answers


if __name__ == "__main__":
    world = story.World()
    for _ in range(2):
        threading.Thread(target=story.churn, daemon=True).start()
    under_multiprocessing()
    under_a_server()
    print("done", flush=True)
    os._exit(0)
