# SPDX-License-Identifier: Apache-2.0
"""Builds floor.c for a bundle: its config.json as C tables, so that the program has nothing to parse."""

import os
import subprocess

BENCH = os.path.dirname(os.path.abspath(__file__))
# Every container and cgroup of ours has it in its name. Two of us may be at work.
PREFIX = f"runlxc-bench-{os.getpid()}."
PARENT = f"{PREFIX}floor"  # of its cgroups

_FLAGS = {
    "ro": "MOUNT_ATTR_RDONLY",
    "nosuid": "MOUNT_ATTR_NOSUID",
    "nodev": "MOUNT_ATTR_NODEV",
    "noexec": "MOUNT_ATTR_NOEXEC",
    "noatime": "MOUNT_ATTR_NOATIME",
    "strictatime": "MOUNT_ATTR_STRICTATIME",
}
_NOTHING = ("relatime", "bind", "rbind", "private", "rprivate", "rw")
_NAMESPACES = {
    "pid": "CLONE_NEWPID",
    "network": "CLONE_NEWNET",
    "ipc": "CLONE_NEWIPC",
    "uts": "CLONE_NEWUTS",
    "mount": "CLONE_NEWNS",
}
# What every OCI runtime allows besides.
_DEVICES = ("c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm")
_DEVICES += ("c 5:2 rwm", "c 136:* rwm", "c 10:200 rwm")
_CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP"
).split()
_OPERATIONS = ("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ")  # libseccomp's enum scmp_compare, from 1 on
_ARCHITECTURES = {"SCMP_ARCH_X86_64": "x86_64", "SCMP_ARCH_X86": "x86", "SCMP_ARCH_X32": "x32"}


def _text(value):
    """A C string."""
    return '"' + "".join(c if c.isalnum() or c in "/-_.:,= *" else f"\\{ord(c):03o}" for c in value) + '"'


def _table(kind, name, items, end):
    """A table with `end` behind it, since C has none without elements."""
    return f"static const {kind} {name}[] = {{{', '.join([*items, end])}}};"


def _mount(entry, cgroup_directories, unified):
    target, options = entry["destination"].lstrip("/"), entry.get("options", [])
    kind, source = entry["type"], entry.get("source", "")
    attributes = "|".join([_FLAGS[option] for option in options if option in _FLAGS] or ["0"])
    rest = [option for option in options if option not in _FLAGS and option not in _NOTHING]
    if kind == "cgroup":
        if unified:
            kind, source, rest = "bind", cgroup_directories[0], []
        else:
            # Filled first, and made read-only then.
            kind, attributes, rest = "tmpfs", attributes.replace("MOUNT_ATTR_RDONLY", "0"), ["mode=755"]
    kind = "NULL" if kind == "bind" else _text(kind)
    return f"{{{kind}, {_text(source)}, {_text(target)}, {attributes}, {{{', '.join(map(_text, rest)) or 'NULL'}}}}}"


def _device(rule):
    if "major" not in rule and "minor" not in rule and rule.get("type", "a") == "a":
        return "a"
    numbers = ":".join(str(rule[key]) if rule.get(key, -1) >= 0 else "*" for key in ("major", "minor"))
    return f"{rule.get('type', 'c')} {numbers} {rule['access']}"


def _device_writes(config, directory):
    rules = config["linux"].get("resources", {}).get("devices", [])
    writes = [("allow" if rule["allow"] else "deny", _device(rule)) for rule in rules]
    writes += [("allow", device) for device in _DEVICES]
    return [f"{{{_text(f'{directory}/devices.{which}')}, {_text(text)}}}" for which, text in writes]


def _capabilities(config, kind):
    names = config["process"].get("capabilities", {}).get(kind, [])
    return f"{sum(1 << _CAPABILITIES.index(name[4:]) for name in names):#x}ULL"


def _filter(config, compiler):
    """The bytes of its seccomp filter, by filter.c."""
    seccomp = config["linux"].get("seccomp")
    if not seccomp:
        return b""
    lines = [str(seccomp.get("defaultErrnoRet") or 1)]
    lines.append(" ".join(_ARCHITECTURES[name] for name in seccomp["architectures"]))
    for rule in seccomp["syscalls"]:
        error = 0 if rule["action"] == "SCMP_ACT_ALLOW" else rule.get("errnoRet") or 1
        arguments = "".join(
            f" {arg['index']} {_OPERATIONS.index(arg['op'][9:]) + 1} {arg['value']} {arg.get('valueTwo', 0)}"
            for arg in rule.get("args", [])
        )
        lines += [f"{name} {error}{arguments}" for name in rule["names"]]
    text = "".join(f"{line}\n" for line in lines)
    return subprocess.run([compiler], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout


def _prepare_cgroups(top, name, unified):
    """The directory above ours in each hierarchy, which every runtime finds made; then ours, not made yet."""
    if unified:
        tops = [top]
    else:
        found = [f"{top}/{entry}" for entry in sorted(os.listdir(top)) if not os.path.islink(f"{top}/{entry}")]
        tops = [directory for directory in found if os.path.exists(f"{directory}/cgroup.procs")]
    for directory in tops:
        os.makedirs(f"{directory}/{PARENT}", exist_ok=True)
        if os.path.exists(f"{directory}/cpuset.cpus"):
            with open(f"{directory}/{PARENT}/cgroup.clone_children", "w", encoding="ascii") as file:
                file.write("1")
            for setting in ("cpuset.cpus", "cpuset.mems"):
                with open(f"{directory}/{setting}", encoding="ascii") as file:
                    value = file.read()
                with open(f"{directory}/{PARENT}/{setting}", "w", encoding="ascii") as file:
                    file.write(value)
    return [f"{directory}/{PARENT}/{name}" for directory in tops]


def _shown(cgroup, place, top):
    """A v1 hierarchy's part of the mount of cgroups."""
    return f"{{{_text(cgroup)}, {_text(place + '/' + cgroup[len(top) + 1 :].split('/')[0])}}}"


def _header(config, name, top, unified, bpf):
    process, linux = config["process"], config["linux"]
    ours = _prepare_cgroups(top, name, unified)
    devices = next((directory for directory in ours if f"/devices/{PARENT}" in directory), None)
    instructions = ",".join(str(byte) for byte in bpf) or "0"
    namespaces = [entry["type"] for entry in linux["namespaces"]]
    place = next((entry["destination"].lstrip("/") for entry in config["mounts"] if entry["type"] == "cgroup"), "")
    limits = [f"{{{entry['type']}, {{{entry['soft']}, {entry['hard']}}}}}" for entry in process.get("rlimits", [])]
    groups = process["user"].get("additionalGids", [])
    mounts = ", ".join(_mount(entry, ours, unified) for entry in config["mounts"])
    return "\n".join(
        [
            f"static const uint64_t clone_flags = {'|'.join(_NAMESPACES[n] for n in namespaces if n in _NAMESPACES)};",
            f"enum {{ own_cgroup_namespace = {int('cgroup' in namespaces)},",
            f"root_readonly = {int(config['root'].get('readonly', False))},",
            f"no_new_privileges = {int(process.get('noNewPrivileges', False))},",
            f"filter_length = {len(bpf) // 8}, groups_count = {len(groups)} }};",
            f"static const char root_path[] = {_text(config['root']['path'])}, cwd[] = {_text(process['cwd'])},",
            f"hostname[] = {_text(config['hostname'])},",
            f"cgroup_mount[] = {_text(place)},",
            f"*const cgroup_into = {_text(ours[0]) if unified else 'NULL'};",
            f"static const char *const cgroup_made[] = {{{', '.join(map(_text, ours))}}};",
            _table(
                "char *const", "cgroup_joined", [] if unified else [_text(f"{one}/tasks") for one in ours], "NULL"
            ),
            _table("struct write", "cgroup_writes", _device_writes(config, devices) if devices else [], "{NULL, NULL}"),
            _table(
                "struct write",
                "cgroup_shown",
                [] if unified or not place else [_shown(one, place, top) for one in ours],
                "{NULL, NULL}",
            ),
            f"static const struct mount mounts[] = {{{mounts}}};",
            f"static const char *const masked[] = {{{', '.join(_text(p[1:]) for p in linux['maskedPaths'])}}};",
            f"static const char *const readonly[] = {{{', '.join(_text(p[1:]) for p in linux['readonlyPaths'])}}};",
            _table(
                "struct write",
                "sysctls",
                [
                    f"{{{_text('proc/sys/' + key.replace('.', '/'))}, {_text(value)}}}"
                    for key, value in linux.get("sysctl", {}).items()
                ],
                "{NULL, NULL}",
            ),
            _table("struct limit", "limits", limits, "{-1, {0, 0}}"),
            f"static const gid_t groups[] = {{{', '.join(map(str, [*groups, 0]))}}};",
            *(
                f"static const uint64_t {kind} = {_capabilities(config, kind)};"
                for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")
            ),
            f"static const unsigned char filter[] __attribute__((aligned(8))) = {{{instructions}}};",
            _table("char *const", "arguments", map(_text, process["args"]), "NULL"),
            _table("char *const", "environment", map(_text, process["env"]), "NULL"),
            "",
        ]
    )


def build(directory, name, config, args, top, unified):
    """A program that does what `config` asks for, with `args`; its path."""
    compiler = os.environ.get("CC", "cc")
    os.makedirs(directory, exist_ok=True)
    config = dict(config, process=dict(config["process"], args=args))
    if "seccomp" in config["linux"] and not os.path.exists(f"{directory}/filter"):
        subprocess.run([compiler, "-O1", "-o", f"{directory}/filter", f"{BENCH}/filter.c", "-lseccomp"], check=True)
    bpf = _filter(config, f"{directory}/filter")
    include = f"{directory}/{name}"
    os.makedirs(include)
    with open(f"{include}/floor_bundle.h", "w", encoding="ascii") as file:
        file.write(_header(config, name, top, unified, bpf))
    program = f"{directory}/{name}/floor"
    subprocess.run([compiler, "-O2", "-static", f"-I{include}", "-o", program, f"{BENCH}/floor.c"], check=True)
    return program
