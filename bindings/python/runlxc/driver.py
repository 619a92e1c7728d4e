# SPDX-License-Identifier: Apache-2.0
"""The driver: a state root, and the verbs."""

from __future__ import annotations

import ctypes
import enum
import json
import os
import signal as signals
import weakref
from typing import Any, Callable, Iterable, List, Mapping, NamedTuple, Optional, Union

from . import _library
from ._library import call, encode, library, string_array, take_list, take_numbers, take_text
from .process import Exit, Io, Process, Started, Stream

#: A JSON document: as an object, or its text.
Document = Union[Mapping[str, Any], str, bytes]
Path = Union[str, bytes, "os.PathLike[Any]"]


class LogLevel(enum.IntEnum):
    """From what is worst to what is least; each includes those before it."""

    ERROR = 0
    WARNING = 1
    INFO = 2
    DEBUG = 3


class Info(NamedTuple):
    """What a container is doing."""

    #: its program runs; False, too, for an id that nobody has
    running: bool
    #: … and is frozen
    paused: bool
    #: of its first process, which may be waiting to be started; 0: none
    pid: int
    #: processes that the kernel killed for memory so far
    oom_kills: int


def _text(document: Optional[Document]) -> Optional[bytes]:
    if isinstance(document, bytes):
        return document
    if document is not None and not isinstance(document, str):
        document = json.dumps(document)
    # A surrogate is a byte that wasn't UTF-8; the library says so.
    return None if document is None else document.encode(errors="surrogateescape")


def _c_text(document: Optional[Document]) -> Optional[bytes]:
    return encode(_text(document))


def _signal_number(signal: Union[int, str]) -> int:
    if not isinstance(signal, str):
        return int(signal)
    if signal.isdigit():
        return int(signal)
    name = signal.upper()
    try:
        return signals.Signals[name if name.startswith("SIG") else f"SIG{name}"].value
    except KeyError:
        raise ValueError(f'"{signal}" is not a signal') from None


def features() -> dict:
    """The OCI features document: what this version can do."""
    return json.loads(take_text(call(library().features)))


class StatsReader:
    """Reads a container's statistics again and again; it keeps what it needs open. One thread at a
    time. A context manager."""

    def __init__(self, driver: Driver, reader: int):
        """Not to be called: Driver.stats_reader() makes them."""
        self._driver = driver  # outlives us
        self._reader: Optional[int] = reader

    def read_text(self) -> str:
        """As read(), but JSON."""
        if self._reader is None:
            raise ValueError("the reader is closed")
        return take_text(call(library().stats_read, self._reader))

    def read(self) -> dict:
        """What Driver.stats() returns. errno ENODEV: the container has ended."""
        return json.loads(self.read_text())

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            library().stats_close(reader)

    def __enter__(self) -> StatsReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_reader", None) is not None:
            self.close()


class Driver:
    """Containers below a state root (None: "/run/runlxc"), which is made, 0700, if it isn't there.

    Every method raises Error where the library reports one. A container is known by its id. May be
    used by several threads at once, for different containers. As a context manager it is closed at
    the end; containers that run then run on, unattended.
    """

    def __init__(self, root: Optional[Path] = None):
        self._handle: Optional[int] = None
        self._handle = call(library().open, encode(root))
        self._log: Any = None
        self._children: weakref.WeakSet[Any] = weakref.WeakSet()  # to be closed before us

    @property
    def _open_handle(self) -> int:
        if self._handle is None:
            raise ValueError("the driver is closed")
        return self._handle

    def close(self) -> None:
        """Closes it, and first its processes and readers. Containers aren't touched."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        for child in list(self._children):
            child.close()
        library().close(handle)

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    def _call(self, name: str, *arguments: Any) -> Any:
        return call(getattr(library(), name), self._open_handle, *arguments)

    @property
    def name(self) -> str:
        """ "lxc-" and the version of liblxc."""
        return library().name(self._open_handle).decode()

    def set_log(
        self, write: Optional[Callable[[LogLevel, str], Any]], level: LogLevel = LogLevel.WARNING
    ) -> None:
        """Has write(level, message) called for every line of the log up to that level, from the
        thread that called into the library. None: nobody. Not while another thread is at work."""

        def pass_on(_: Any, line_level: int, message: bytes) -> None:
            assert write
            write(LogLevel(line_level), message.decode(errors="replace"))

        function = _library.LogFunction(pass_on) if write else _library.LogFunction()
        library().set_log(self._open_handle, level, function, None)
        self._log = function  # the library calls it for as long as it has it

    # ---- containers that run here ----

    def _process(self, handle: int, io: Io) -> Process:
        process = Process(self, handle)
        self._children.add(process)
        if io.failure is None:
            return process
        # What `started` has raised: as with any failed start nothing is left.
        with process:
            try:
                process.signal(signals.SIGKILL)
            except _library.Error:
                pass  # it has ended already
            process.wait()
        raise io.failure

    def _read_command(self, command: Document) -> int:
        text = _text(command)
        assert text is not None
        return call(library().command_read, text, len(text), None)

    def run(
        self,
        command: Document,
        *,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        started: Optional[Started] = None,
    ) -> Process:
        """Runs the container of a Command (include/runlxc/command.h; a dict or JSON). Returns when
        its program runs; the container is deleted as it ends, by Process.wait() or dispatch().

        Streams are as subprocess.Popen takes them: None is our own, PIPE, DEVNULL, a descriptor or a
        file. started(pid) is called once, before any of the program has run; what it raises ends
        the container and comes out here.
        """
        io = Io(stdin, stdout, stderr, started)
        read = self._read_command(command)
        try:
            return self._process(self._call("command_start", read, io.struct), io)
        finally:
            library().command_free(read)

    def command_config(self, command: Document) -> dict:
        """The config.json that a Command becomes."""
        read = self._read_command(command)
        try:
            return json.loads(take_text(self._call("command_config", read)))
        finally:
            library().command_free(read)

    def run_bundle(
        self,
        id: str,  # pylint: disable=redefined-builtin
        bundle: Optional[Path] = None,
        config: Optional[Document] = None,
        *,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        started: Optional[Started] = None,
        **options: Any,
    ) -> Process:
        """The same for an OCI bundle (None: the current directory); `config` instead of its
        config.json. Options as for create()."""
        io = Io(stdin, stdout, stderr, started)
        create = _create_options(bundle, config, **options)
        return self._process(self._call("run", encode(id), create, io.struct), io)

    def exec(
        self,
        id: str,  # pylint: disable=redefined-builtin
        args: Optional[Iterable[str]] = None,
        *,
        process: Optional[Document] = None,
        env: Optional[Iterable[str]] = None,
        user: Optional[str] = None,
        working_dir: Optional[Path] = None,
        tty: bool = False,
        privileged: bool = False,
        group_add: Optional[Iterable[str]] = None,
        cap_add: Optional[Iterable[str]] = None,
        no_new_privs: bool = False,
        process_label: Optional[str] = None,
        apparmor_profile: Optional[str] = None,
        cgroup: Optional[str] = None,
        ignore_paused: bool = False,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        started: Optional[Started] = None,
    ) -> Process:
        """Runs one more process in a container: `args`, the program first, with the container's own
        settings where nothing else is said (`env`, of "KEY=value", is added to its own); or `process`,
        an OCI process document with everything in it."""
        if (args is None) == (process is None):
            raise TypeError("exec() wants either args or process")
        entrypoint, *arguments = list(args) if args is not None else [None]
        command = _library.CCommandProcess(
            privileged=privileged,
            user=encode(user),
            tty=tty,
            entrypoint=encode(entrypoint),
            arguments=string_array(arguments),
            env=string_array(env),
        )
        options = _library.CExecOptions(
            process=_c_text(process),
            command=command,
            working_dir=encode(working_dir),
            group_add=string_array(group_add),
            cap_add=string_array(cap_add),
            no_new_privs=no_new_privs,
            process_label=encode(process_label),
            apparmor_profile=encode(apparmor_profile),
            cgroup=encode(cgroup),
            ignore_paused=ignore_paused,
        )
        io = Io(stdin, stdout, stderr, started)
        return self._process(self._call("exec", encode(id), options, io.struct), io)

    # ---- the OCI verbs ----

    # pylint: disable=redefined-builtin

    def create(
        self, id: str, bundle: Optional[Path] = None, config: Optional[Document] = None, **options: Any
    ) -> None:
        """Makes a container of an OCI bundle that waits for start(). It inherits our standard
        streams; its first process is a child of the nearest subreaper. Options, with the meaning of
        struct runlxc_create_options: console_socket, pid_file, pidfd_socket (paths), preserve_fds (a
        number), no_new_keyring, lxc_monitor (whether)."""
        self._call("create", encode(id), _create_options(bundle, config, **options))

    def start(self, id: str) -> None:
        """Starts a created container's program; returns once it runs."""
        self._call("start", encode(id))

    def kill(self, id: str, signal: Union[int, str] = signals.SIGTERM, all: bool = False) -> None:
        """Sends a signal, by number or name ("TERM", "SIGTERM"), to the first process or to `all`."""
        self._call("kill", encode(id), _signal_number(signal), all)

    def delete(self, id: str, force: bool = False) -> None:
        """Removes a container that has ended or was never started; with `force` a running one, too,
        and one that isn't there is no error."""
        self._call("delete", encode(id), force)

    def pause(self, id: str) -> None:
        """Freezes every process; returns once it is so."""
        self._call("pause", encode(id))

    def resume(self, id: str) -> None:
        """Thaws them."""
        self._call("resume", encode(id))

    def unpause(self, id: str) -> None:
        """The same as resume()."""
        self._call("unpause", encode(id))

    def update(self, id: str, resources: Document) -> None:
        """Changes its limits: an OCI resources document. What that leaves out stays as it is."""
        self._call("update", encode(id), _c_text(resources))

    def terminate(self, id: str) -> None:
        """SIGKILL for every process; the container isn't deleted by that."""
        self._call("terminate", encode(id))

    def clean(self, id: str) -> None:
        """Removes every trace of a container that isn't running; none is no error."""
        self._call("clean", encode(id))

    # ---- looking ----

    def info(self, id: str) -> Info:
        """What it is doing. An id that nobody has isn't running, which is no error."""
        info = _library.CInfo()
        self._call("info", encode(id), ctypes.byref(info))
        return Info(bool(info.running), bool(info.paused), info.pid, info.oom_kills)

    def state(self, id: str) -> dict:
        """The OCI state document."""
        return json.loads(take_text(self._call("state", encode(id))))

    def list(self) -> List[str]:
        """The ids of all containers, sorted."""
        return take_list(self._call("list"))

    def pids(self, id: str) -> List[int]:
        """Every pid in the container as the host sees it, ascending."""
        pointer, count = ctypes.POINTER(ctypes.c_int)(), ctypes.c_size_t()
        self._call("pids", encode(id), ctypes.byref(pointer), ctypes.byref(count))
        return take_numbers(pointer, count.value)

    def stats(self, id: str) -> dict:
        """What it uses, in the shape of `runc events --stats`."""
        return json.loads(take_text(self._call("stats", encode(id))))

    def stats_reader(self, id: str) -> StatsReader:
        """For many readings of one container's statistics."""
        reader = StatsReader(self, self._call("stats_open", encode(id)))
        self._children.add(reader)
        return reader

    def wait(self, id: str) -> Exit:
        """Blocks until a container that somebody else runs has ended. See runlxc_wait()."""
        how = _library.CExit()
        self._call("wait", encode(id), ctypes.byref(how))
        return Exit.of(how)

    def config(self, id: str) -> str:
        """Its LXC configuration, as LXC writes it."""
        return take_text(self._call("config", encode(id)))

    def features(self) -> dict:
        """As the function of the module."""
        return features()


def _create_options(
    bundle: Optional[Path],
    config: Optional[Document],
    *,
    console_socket: Optional[Path] = None,
    pid_file: Optional[Path] = None,
    pidfd_socket: Optional[Path] = None,
    preserve_fds: int = 0,
    no_new_keyring: bool = False,
    lxc_monitor: bool = False,
) -> _library.CCreateOptions:
    return _library.CCreateOptions(
        encode(bundle),
        _c_text(config),
        encode(console_socket),
        encode(pid_file),
        encode(pidfd_socket),
        preserve_fds,
        no_new_keyring,
        lxc_monitor,
    )
