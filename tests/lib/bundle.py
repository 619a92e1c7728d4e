# SPDX-License-Identifier: Apache-2.0
"""Bundles: a root file system from busybox-static, and the config.json that `runlxc spec` writes."""

import copy
import json
import os
import shutil

BUSYBOX = "/bin/busybox"

# As many of busybox's applets as the tests use.
APPLETS = (
    "[ awk basename cat chmod chown cp cut date dd dirname echo env expr false find getopt grep "
    "head hostname id ip kill killall linux32 ln ls md5sum mkdir mkfifo mknod mount mv nc nproc ping "
    "printf ps pwd readlink realpath renice rm rmdir sed seq setsid sh sleep sort stat stty su sync "
    "sysctl tail tee test timeout touch tr true tty umount uname uniq unshare usleep wc which "
    "whoami xargs yes"
).split()

PASSWD = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n"
GROUP = "root:x:0:\ntty:x:5:\nuser:x:1000:\nextra:x:2000:user\n"

_CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

# What `runc spec` writes, but for the terminal and the program.
DEFAULT_CONFIG = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["true"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": {
            "bounding": _CAPABILITIES,
            "effective": _CAPABILITIES,
            "permitted": _CAPABILITIES,
            "ambient": _CAPABILITIES,
        },
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": True},
    "hostname": "box",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        },
        {
            "destination": "/dev/shm",
            "type": "tmpfs",
            "source": "shm",
            "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        },
        {
            "destination": "/dev/mqueue",
            "type": "mqueue",
            "source": "mqueue",
            "options": ["nosuid", "noexec", "nodev"],
        },
        {
            "destination": "/sys",
            "type": "sysfs",
            "source": "sysfs",
            "options": ["nosuid", "noexec", "nodev", "ro"],
        },
        {
            "destination": "/sys/fs/cgroup",
            "type": "cgroup",
            "source": "cgroup",
            "options": ["nosuid", "noexec", "nodev", "relatime", "ro"],
        },
    ],
    "linux": {
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "namespaces": [
            {"type": "pid"},
            {"type": "network"},
            {"type": "ipc"},
            {"type": "uts"},
            {"type": "mount"},
        ],
        "maskedPaths": [
            "/proc/acpi",
            "/proc/asound",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug",
            "/sys/firmware",
            "/proc/scsi",
        ],
        "readonlyPaths": [
            "/proc/bus",
            "/proc/fs",
            "/proc/irq",
            "/proc/sys",
            "/proc/sysrq-trigger",
        ],
    },
}


def make_rootfs(path, busybox=BUSYBOX):
    """A root file system that a shell runs in. busybox is a hard link where that is possible."""
    for directory in "bin dev etc home/user proc root run sys tmp usr/bin var".split():
        os.makedirs(f"{path}/{directory}")
    os.chmod(f"{path}/tmp", 0o1777)
    os.chown(f"{path}/home/user", 1000, 1000)
    try:
        os.link(busybox, f"{path}/bin/busybox")
    except OSError:
        shutil.copy(busybox, f"{path}/bin/busybox")
    for applet in APPLETS:
        os.symlink("busybox", f"{path}/bin/{applet}")
    for name, text in (("passwd", PASSWD), ("group", GROUP)):
        with open(f"{path}/etc/{name}", "w", encoding="utf-8") as file:
            file.write(text)


class Bundle:
    """A bundle directory; `config` is the document, written by write() and by every Container."""

    def __init__(self, path, busybox=BUSYBOX):
        self.path = str(path)
        self.rootfs = f"{self.path}/rootfs"
        self.config = copy.deepcopy(DEFAULT_CONFIG)
        os.makedirs(self.path)
        make_rootfs(self.rootfs, busybox)

    @property
    def process(self):
        return self.config["process"]

    @property
    def linux(self):
        return self.config["linux"]

    @property
    def resources(self):
        return self.config["linux"]["resources"]

    def args(self, *args):
        self.process["args"] = list(args)
        return self

    def shell(self, script):
        return self.args("sh", "-c", script)

    def writable(self):
        self.config["root"]["readonly"] = False
        return self

    def mount(self, destination, source, *options, kind="bind"):
        self.config["mounts"].append(
            {"destination": destination, "type": kind, "source": str(source), "options": list(options)}
        )
        return self

    def capabilities(self, *names, sets=("bounding", "effective", "permitted")):
        self.process["capabilities"] = {kind: list(names) for kind in sets}
        return self

    def without_namespace(self, kind):
        self.linux["namespaces"] = [n for n in self.linux["namespaces"] if n["type"] != kind]
        return self

    def with_namespace(self, kind, path=None):
        self.without_namespace(kind)
        entry = {"type": kind}
        if path is not None:
            entry["path"] = path
        self.linux["namespaces"].append(entry)
        return self

    def user_namespace(self, first_host_id=100000, size=65536):
        """A user namespace whose root is first_host_id, and a root file system that belongs to it."""
        self.with_namespace("user")
        mapping = [{"containerID": 0, "hostID": first_host_id, "size": size}]
        self.linux["uidMappings"] = copy.deepcopy(mapping)
        self.linux["gidMappings"] = copy.deepcopy(mapping)
        for directory, directories, files in os.walk(self.rootfs):
            for name in [".", *directories, *files]:
                if name != "busybox":  # a hard link that others use, too
                    info = os.lstat(f"{directory}/{name}")
                    if info.st_uid < first_host_id:
                        os.lchown(
                            f"{directory}/{name}", first_host_id + info.st_uid, first_host_id + info.st_gid
                        )
        return self

    def cgroup(self, path):
        self.linux["cgroupsPath"] = path
        return self

    def lxc(self, settings):
        """Raw LXC configuration: {"uts.name": "box"} is lxc.uts.name = box."""
        annotations = self.config.setdefault("annotations", {})
        for key, value in settings.items():
            annotations[f"org.linuxcontainers.lxc.{key}"] = value
        return self

    def write(self, text=None):
        """Writes config.json: the document, or any text or bytes instead of it."""
        if text is None:
            text = json.dumps(self.config, indent=1)
        with open(f"{self.path}/config.json", "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return self
