# SPDX-License-Identifier: Apache-2.0
"""The command as an ordinary user calls it: `nobody`, whom every system has."""

import contextlib
import fcntl
import os
import shutil

from lib import system
from lib.runtime import Runtime

UID = GID = 65534
FIRST_SUBORDINATE = 1300000000  # far from what useradd(8) gives away
SUBORDINATES = 65536
FILES = ("/etc/subuid", "/etc/subgid")


class RootlessRuntime(Runtime):
    """With the state root that a user has by default, below XDG_RUNTIME_DIR."""

    def __init__(self, command, is_ours, workdir, token):
        directory = f"{workdir}/runtime"
        os.mkdir(directory, 0o700)
        os.chown(directory, UID, GID)
        super().__init__(command, is_ours, directory, token, root=f"{directory}/runlxc")
        self.command = f"{workdir}/runlxc"  # the build directory may be root's alone
        shutil.copy(command, self.command)
        self.global_flags = []
        self.entry, self.wrapper = [], []  # around every command: root's, and the user's
        self.environment = {
            "PATH": os.environ["PATH"],
            "XDG_RUNTIME_DIR": directory,
            "RUNLXC_TEST_SESSION": token,
        }

    def argv(self, *args):
        user = ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups"]
        return [*self.entry, *user, *self.wrapper, self.command, *self.global_flags, *map(str, args)]


def give(bundle, owner=UID):
    """The bundle is the user's, and its root file system belongs to `owner`."""
    for directory, _, files in os.walk(bundle.path):
        mine = owner if directory.startswith(bundle.rootfs) else UID
        os.lchown(directory, mine, mine)
        for name in files:
            if name != "busybox":  # a hard link that others use, too
                os.lchown(f"{directory}/{name}", mine, mine)


def make_rootless(bundle):
    """What `runlxc spec --rootless` has in another way."""
    linux = bundle.linux
    bundle.with_namespace("user").without_namespace("network")
    linux["uidMappings"] = [{"containerID": 0, "hostID": UID, "size": 1}]
    linux["gidMappings"] = [{"containerID": 0, "hostID": GID, "size": 1}]
    del linux["resources"]
    for mount in bundle.config["mounts"]:
        if mount["destination"] == "/dev/pts":
            mount["options"].remove("gid=5")
        elif mount["destination"] == "/sys":
            mount.update(type="none", source="/sys", options=["rbind", "nosuid", "noexec", "nodev", "ro"])
    give(bundle)
    return bundle


@contextlib.contextmanager
def subordinate_ids():
    """The system's administrator gives the user ids of his own, for as long as the test runs."""
    line = f"{UID}:{FIRST_SUBORDINATE}:{SUBORDINATES}\n"
    with contextlib.ExitStack() as stack:
        for path in FILES:
            if not os.path.exists(path):
                stack.callback(os.unlink, path)
            file = stack.enter_context(open(path, "a+", encoding="utf-8"))
            fcntl.flock(file, fcntl.LOCK_EX)  # another session's tests wait
            file.seek(0)
            before = file.read()
            stack.callback(_write, file, before)
            _write(file, before + line)
        yield FIRST_SUBORDINATE


def _write(file, text):
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


@contextlib.contextmanager
def delegated_cgroup(path, below=""):
    """A cgroup in every hierarchy that the user may make others in: a command that goes there, or into `below`
    in it ("/one/two"), which is made."""
    directories = [f"{mount_point}{path}" for mount_point in system.cgroup_hierarchies().values()]
    try:
        for name in ("", *below.split("/")[1:]):
            directories = [directory + "/" * bool(name) + name for directory in directories]
            for directory in directories:
                _delegate(directory)
        script = 'for file in $CGROUPS; do echo $$ > "$file/cgroup.procs" || exit 1; done; exec "$@"'
        yield ["env", f"CGROUPS={' '.join(directories)}", "sh", "-c", script, "sh"]
    finally:
        system.cgroup_remove(path)


def _delegate(directory):
    os.mkdir(directory)
    for name in ("cpuset.cpus", "cpuset.mems"):  # v1 begins with none
        if system.on_cgroup_v1() and os.path.exists(f"{directory}/{name}"):
            with open(f"{directory}/../{name}", encoding="ascii") as above:
                text = above.read()
            with open(f"{directory}/{name}", "w", encoding="ascii") as file:
                file.write(text)
    for name in (".", "cgroup.procs", "tasks", "cgroup.threads", "cgroup.subtree_control"):
        if os.path.exists(f"{directory}/{name}"):
            os.chown(f"{directory}/{name}", UID, GID)
