# SPDX-License-Identifier: Apache-2.0
"""What is run: a root file system, the two bundles, and the same two as LXC configurations."""

import json
import os
import shutil
import subprocess

BUSYBOX = "/bin/busybox"
DOCKER_CONFIG = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests/data/engines/docker-config-1.json"
)
TRUE = ["/bin/true"]
LONG = ["/bin/sleep", "1000000"]
STAMP = ["/bin/stamp"]  # stamp.c
OOM = ["/bin/stamp", "oom"]


def make_rootfs(path):
    """busybox, and the mount targets of both bundles, so that nobody has to make them."""
    for name in ("bin", "sbin", "etc", "proc", "sys", "dev", "tmp", "root", "usr"):
        os.makedirs(f"{path}/{name}")
    shutil.copy(BUSYBOX, f"{path}/bin/busybox")
    for applet in ("sh", "true", "sleep"):
        os.symlink("busybox", f"{path}/bin/{applet}")
    for name, text in (
        ("passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("group", "root:x:0:\n"),
        ("hostname", "bench\n"),
        ("hosts", "127.0.0.1 localhost\n"),
        ("resolv.conf", "nameserver 127.0.0.1\n"),
    ):
        with open(f"{path}/etc/{name}", "w", encoding="utf-8") as file:
            file.write(text)


def default_config(spec_command, directory, rootfs):
    """What `runc spec` writes, without the terminal; with `spec` of another runtime where runc isn't there."""
    os.makedirs(directory)
    subprocess.run([spec_command, "spec"], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    with open(f"{directory}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    config["process"]["terminal"] = False
    config["root"]["path"] = rootfs
    return config


def docker_config(directory, rootfs):
    """What Docker wrote for `docker run`, with our root and files; its network hook needs a dockerd."""
    os.makedirs(directory)
    with open(DOCKER_CONFIG, encoding="utf-8") as file:
        config = json.load(file)
    config.pop("hooks", None)
    config["root"]["path"] = rootfs
    for mount in config["mounts"]:
        if mount.get("type") == "bind":
            source = f"{directory}/{os.path.basename(mount['destination'])}"
            shutil.copy(f"{rootfs}{mount['destination']}", source)
            mount["source"] = source
    return config


def write_bundle(directory, config, args, cgroups_path, memory_limit=None):
    """A bundle of `config` that runs `args` in `cgroups_path`."""
    os.makedirs(directory, exist_ok=True)
    config = json.loads(json.dumps(config))
    config["process"]["args"] = args
    if memory_limit:
        config["linux"].setdefault("resources", {})["memory"] = {"limit": memory_limit}
    config["linux"]["cgroupsPath"] = cgroups_path
    with open(f"{directory}/config.json", "w", encoding="utf-8") as file:
        json.dump(config, file)
    return directory


# ---- the same as an LXC configuration ----

_ACTIONS = {"SCMP_ACT_ALLOW": "allow", "SCMP_ACT_KILL": "kill"}


def _seccomp_action(name, errno):
    return f"errno {errno or 1}" if name == "SCMP_ACT_ERRNO" else _ACTIONS[name]


def _seccomp_argument(arg):
    if arg["op"] == "SCMP_CMP_MASKED_EQ":
        return f" [{arg['index']},{arg.get('valueTwo', 0)},{arg['op']},{arg['value']}]"
    return f" [{arg['index']},{arg['value']},{arg['op']}]"


def _lxc_seccomp(seccomp):
    lines = ["2", f"allowlist {_seccomp_action(seccomp['defaultAction'], seccomp.get('defaultErrnoRet'))}"]
    for rule in seccomp["syscalls"]:
        action = _seccomp_action(rule["action"], rule.get("errnoRet"))
        arguments = "".join(map(_seccomp_argument, rule.get("args", [])))
        lines += [f"{name} {action}{arguments}" for name in rule["names"]]
    return "\n".join(lines) + "\n"


def _lxc_device(rule):
    number = ":".join(str(rule[key]) if key in rule else "*" for key in ("major", "minor"))
    kind = rule.get("type", "a")
    return "a" if kind == "a" else f"{kind} {number} {rule['access']}"


def write_lxc_config(path, config):
    """The configuration that someone who uses LXC itself would write for `config`: /dev, /proc, /sys and
    the cgroups by LXC's own means, everything else item by item. Without sysctls: LXC sets those when
    /proc/sys is read-only already, and fails."""
    process, linux = config["process"], config["linux"]
    capabilities = (name[4:].lower() for name in process["capabilities"]["bounding"])
    lines = [
        f"lxc.rootfs.path = dir:{config['root']['path']}",
        f"lxc.uts.name = {config['hostname']}",
        "lxc.mount.auto = proc:mixed sys:ro cgroup:ro",
        "lxc.autodev = 1",
        "lxc.pty.max = 1024",
        "lxc.net.0.type = empty",
        f"lxc.cap.keep = {' '.join(capabilities)}",
        "lxc.mount.entry = mqueue dev/mqueue mqueue nosuid,noexec,nodev,create=dir 0 0",
        "lxc.mount.entry = shm dev/shm tmpfs nosuid,noexec,nodev,mode=1777,size=65536k,create=dir 0 0",
    ]
    if config["root"].get("readonly"):
        lines.append("lxc.rootfs.options = ro")
    if process.get("noNewPrivileges"):
        lines.append("lxc.no_new_privs = 1")
    for variable in process["env"]:
        lines.append(f"lxc.environment = {variable}")
    for limit in process.get("rlimits", []):
        lines.append(f"lxc.prlimit.{limit['type'][7:].lower()} = {limit['soft']}:{limit['hard']}")
    for mount in config["mounts"]:
        if mount.get("type") == "bind":
            lines.append(
                f"lxc.mount.entry = {mount['source']} {mount['destination'][1:]} none bind,create=file 0 0"
            )
    for name in linux.get("maskedPaths", []):
        kind = "tmpfs" if os.path.isdir(name) else "none"
        source, options = ("tmpfs", "ro") if kind == "tmpfs" else ("/dev/null", "bind")
        lines.append(f"lxc.mount.entry = {source} {name[1:]} {kind} {options},optional 0 0")
    for rule in linux.get("resources", {}).get("devices", []):
        lines.append(f"lxc.cgroup.devices.{'allow' if rule['allow'] else 'deny'} = {_lxc_device(rule)}")
    if not linux.get("resources", {}).get("devices") or len(linux["resources"]["devices"]) == 1:
        # What every OCI runtime allows besides.
        for device in ("1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2", "136:*"):
            lines.append(f"lxc.cgroup.devices.allow = c {device} rwm")
    if "seccomp" in linux:
        with open(f"{path}.seccomp", "w", encoding="utf-8") as file:
            file.write(_lxc_seccomp(linux["seccomp"]))
        lines.append(f"lxc.seccomp.profile = {path}.seccomp")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path
