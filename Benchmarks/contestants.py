"""The servers that are measured: each started on a port of its own, and ended again. For side-by-side, soak and
scripts/profile. Only processes started here are ended."""

import os
import resource
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
FLOOR = ROOT / ".build/floor"
PLACES = ["--holdfast", "--bench", "--out"]


def say(text):
    print(text, flush=True)


def measured(arguments):
    """Those of a program's arguments that say what is measured, and not where something is on this machine."""
    kept = []
    for index, argument in enumerate(arguments):
        name, before = argument.split("=")[0], arguments[index - 1] if index else ""
        if name not in PLACES and before not in PLACES:
            kept.append(argument)
    return kept


def raise_file_limit(needed):
    """Raises the limit of open files as far as it goes; ends the program where that is too little."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < needed:
        sys.exit(f"{Path(sys.argv[0]).name}: the limit of open files (ulimit -Hn) must be {needed:,}; it is {hard:,}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def install_nchan():
    """Puts nginx and nchan there from Debian."""
    if MODULE.exists() and shutil.which("nginx"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit("side-by-side: nginx and libnginx-mod-nchan are needed: as root, apt-get install them")
    say("installing nginx and libnginx-mod-nchan")
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # The package would start nginx on port 80, where it is not wanted: nothing may be started while it is installed.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    try:
        if ours:
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
        for command in (["update"], ["install", "-y", "--no-install-recommends", "nginx", "libnginx-mod-nchan"]):
            done = subprocess.run(["apt-get", *command], env=quietly, capture_output=True, text=True, timeout=600)
            if done.returncode:
                sys.exit(f"side-by-side: apt-get {command[0]} failed:\n{done.stderr}")
    finally:
        if ours:
            policy.unlink(missing_ok=True)


def build_floor():
    """Compiles floor/floor.c to .build/floor."""
    FLOOR.parent.mkdir(exist_ok=True)
    compiler = shutil.which("cc")
    if not compiler:
        sys.exit("the floor needs a C compiler: scripts/install-needs bench")
    done = subprocess.run([compiler, "-O2", "-o", FLOOR, HERE / "floor/floor.c"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"floor/floor.c does not compile:\n{done.stderr}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port, process, seconds):
    """Waits until somebody listens; false when the process has ended or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


class Server:
    """A contestant's server: started on entry, ended on exit. `contestant` is `holdfast` with whatever flags of `serve`
    follow, `floor`, or `nchan, N worker(s)`."""

    def __init__(self, contestant, holdfast):
        self.contestant, self.holdfast = contestant, holdfast

    @property
    def target(self):
        """What it speaks, in the words of `holdfast bench --target`."""
        return "nchan" if self.contestant.startswith("nchan") else "holdfast"

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="benchmarks-")
        os.chmod(self.directory, 0o755)
        self.log = open(Path(self.directory) / "log", "w+")
        self.port = free_port()
        command = self.command()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True
        )
        if not accepts(self.port, self.process, 20):
            words = self.words()
            self.__exit__()
            raise RuntimeError(f"{self.contestant} did not start: {' '.join(map(str, command))}\n{words}")
        return self

    def words(self):
        """The end of what it has said."""
        self.log.seek(0)
        return self.log.read()[-2000:]

    def command(self):
        if self.contestant == "floor":
            return [FLOOR, str(self.port)]
        if self.target == "nchan":
            return self.nginx_command()
        # Ten thousand polls on a channel are the default's limit; here there are more.
        command = [self.holdfast, "serve", "--port", str(self.port), "--connections-per-channel-max", "0"]
        return command + self.contestant.split()[1:]

    def nginx_command(self):
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        template = string.Template((HERE / "nginx.conf.template").read_text())
        conf = Path(self.directory) / "nginx.conf"
        conf.write_text(
            template.substitute(
                module=MODULE,
                user="www-data",
                directory=self.directory,
                workers=self.contestant.split()[1],
                files=files,
                # nginx closes idle connections when fewer than a sixteenth are left.
                connections=min(files, 100_000) * 5 // 4,
                port=self.port,
            )
        )
        return ["nginx", "-e", f"{self.directory}/error.log", "-p", self.directory, "-c", str(conf)]

    def end(self):
        """Ends it gently; its exit status, or None where it had to be killed."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                # Its own session, begun above: nobody else's process is in it.
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
                return None
        return self.process.returncode

    def __exit__(self, *_):
        self.end()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
