"""Database servers of the harness's own, which it may restart: the machine's are never touched."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.ports import free_port

SECONDS_TO_START = 60


class Server(Protocol):
    """A server that is up."""

    #: What Django's settings say of it.
    place: dict[str, Any]

    def restart(self) -> None:
        """End it in the middle of whatever it does, and start it again."""
        ...

    def end(self) -> None:
        """End it in the middle of whatever it does. `restart` starts it again then."""
        ...


def missing(database: str) -> str | None:
    """What is missing of the programs of a server of that kind, or None."""
    try:
        if database == "postgresql":
            _newest("/usr/lib/postgresql", "bin/pg_ctl", "PostgreSQL's programs")
        else:
            _program("mariadbd")
            _program("mariadb-install-db")
    except SystemExit as error:
        return str(error)
    return None


@contextmanager
def private(database: str, folder: Path) -> Iterator[Server]:
    """A server of that kind with its data in the folder, while the block runs."""
    server: PostgreSQL | MariaDB
    if database == "postgresql":
        server = PostgreSQL(folder)
    elif database == "mariadb":
        server = MariaDB(folder)
    else:
        raise SystemExit("SQLite has no server: leave --restart-server out.")
    try:
        server.start()
        yield server
    finally:
        server.end()


class PostgreSQL:
    """A cluster, restarted in mode "immediate": no checkpoint, connections cut, recovery at start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "postgresql"
        self.port = free_port()
        self.place = {"HOST": "127.0.0.1", "PORT": self.port, "USER": "postgres", "PASSWORD": ""}
        self._programs = _newest("/usr/lib/postgresql", "bin/pg_ctl", "PostgreSQL's programs")

    def start(self) -> None:
        self.folder.mkdir(mode=0o700)
        _give_to("postgres", self.folder)
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        self._control("start", "-o", f"-p {self.port} -h 127.0.0.1 -k {self.folder}")

    def restart(self) -> None:
        self._control("restart", "-m", "immediate")

    def end(self) -> None:
        # More than once: a start that was interrupted goes on by itself.
        for _ in range(3):
            if (self.folder / "data" / "postmaster.pid").exists():
                self._control("stop", "-m", "immediate")
            time.sleep(0.2)

    def _control(self, *arguments: str) -> None:
        log = str(self.folder / "server.log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-w", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:  # as which PostgreSQL refuses to run
            command = [
                _program("setpriv"),
                "--reuid=postgres",
                "--regid=postgres",
                "--init-groups",
                *command,
            ]
        with (self.folder / "commands.log").open("ab") as log:
            # Not pipes, which the server would keep open.
            done = subprocess.run(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # Ctrl-C is for the harness, which ends its server itself.
                start_new_session=True,
                timeout=SECONDS_TO_START * 2,
                check=False,
            )
        if done.returncode:
            said = (self.folder / "commands.log").read_text()[-2000:]
            raise SystemExit(f"{program} {arguments[-1]} failed ({done.returncode}): {said}")


class MariaDB:
    """A server that is killed with SIGKILL and started again on the same files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "mariadb"
        self.port = free_port()
        self.place = {"HOST": "127.0.0.1", "PORT": self.port, "USER": "root", "PASSWORD": ""}
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(mode=0o700)
        _give_to("mysql", self.folder)
        self._finish(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self.folder / 'data'}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                *self._user(),
            ]
        )
        self._start()

    def restart(self) -> None:
        self.end()
        self._start()

    def end(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def _start(self) -> None:
        command = [
            _program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--innodb-buffer-pool-size=64M",
            *self._user(),
        ]
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _wait_for_greeting(self.port, self._server, self.folder / "server.log")

    def _finish(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS_TO_START * 2,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{command[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    def _user(self) -> list[str]:
        return ["--user=mysql"] if os.geteuid() == 0 else []


def _wait_for_greeting(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server speaks: it is the first to, in this protocol."""
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(5):
                    return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"mariadbd does not answer on port {port}: {log.read_text()[-2000:]}")


def _give_to(user: str, folder: Path) -> None:
    """Root's servers run as users of their own, which have to reach their files."""
    if os.geteuid() == 0:
        shutil.chown(folder, user)
        folder.parent.chmod(0o711)


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise SystemExit(f"--restart-server needs {name}, which isn't installed.")
    return found


def _newest(folder: str, program: str, what: str) -> Path:
    found = sorted(
        Path(folder).glob(f"*/{program}"),
        key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))],
    )
    if not found:
        raise SystemExit(f"--restart-server needs {what} in {folder}/*/bin, which has none.")
    return found[-1].parent
