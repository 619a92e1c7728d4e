# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: seccomp, the container process state, masked and read-only paths, personality."""

import os
import socket

import pytest

from clauses import clause
from lib.seccomp_agent import Agent

MKDIR = ["mkdir", "mkdirat"]


@pytest.fixture
def filtered(container):
    def make(*args, shell=None, **seccomp):
        made = container(*args, shell=shell)
        made.bundle.writable().linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", **seccomp}
        return made

    return make


@pytest.fixture
def agent(workdir):
    made = Agent(f"{workdir}/agent")
    yield made
    made.close()


@clause("seccomp-defaultAction")
@pytest.mark.parametrize("action", [None, "", "SCMP_ACT_NOSUCH"], ids=repr)
def test_a_default_action_is_required(filtered, refused, action):
    refused(filtered("true", defaultAction=action, syscalls=[{"names": MKDIR, "action": "SCMP_ACT_ERRNO"}]))


@clause("seccomp-defaultErrnoRet")
@pytest.mark.parametrize("action", ["SCMP_ACT_ALLOW", "SCMP_ACT_KILL", "SCMP_ACT_LOG", "SCMP_ACT_TRAP"])
def test_a_default_errno_of_an_action_that_has_none_is_an_error(filtered, refused, action):
    result = refused(filtered("true", defaultAction=action, defaultErrnoRet=1))
    assert result.stderr


@clause("seccomp-errnoRet")
@pytest.mark.parametrize("action", ["SCMP_ACT_ALLOW", "SCMP_ACT_KILL", "SCMP_ACT_LOG", "SCMP_ACT_TRAP"])
def test_an_errno_of_an_action_that_has_none_is_an_error(filtered, refused, action):
    result = refused(filtered("true", defaultAction="SCMP_ACT_ERRNO", syscalls=[
        {"names": MKDIR, "action": action, "errnoRet": 1}
    ]))  # fmt: skip
    assert result.stderr


@clause("seccomp-errnoRet", "seccomp-defaultErrnoRet")
def test_an_errno_is_what_the_program_gets(filtered):
    rule = {"names": MKDIR, "action": "SCMP_ACT_ERRNO", "errnoRet": 28}
    result = filtered("mkdir", "/x", syscalls=[rule]).run()
    assert "No space left on device" in result.stderr


@clause("seccomp-names")
@pytest.mark.parametrize("names", [[], None], ids=repr)
def test_a_rule_without_a_name_is_an_error(filtered, refused, names):
    refused(filtered("true", syscalls=[{"names": names, "action": "SCMP_ACT_ERRNO"}]))


@clause("seccomp-action")
@pytest.mark.parametrize("action", [None, "", "SCMP_ACT_NOSUCH"], ids=repr)
def test_a_rule_without_an_action_is_an_error(filtered, refused, action):
    refused(filtered("true", syscalls=[{"names": MKDIR, "action": action}]))


@clause("seccomp-args")
@pytest.mark.parametrize("field", ["op"])
def test_an_argument_that_lacks_a_field_is_an_error(filtered, refused, field):
    argument = {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}
    del argument[field]
    refused(filtered("true", syscalls=[{"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [argument]}]))


# ---- the listener ----


def notified(filtered, path, **more):
    rule = {"names": MKDIR, "action": "SCMP_ACT_NOTIFY"}
    return filtered(shell="mkdir /x && echo made", listenerPath=path, syscalls=[rule], **more)


@clause("seccomp-listener-socket", "seccomp-listener-one", "process-state-json", "process-state-fds-first")
def test_the_agent_gets_one_state_and_its_descriptor_over_a_connection(filtered, agent):
    """That the connection is closed behind the state, and that no descriptor comes later, the agent asserts."""
    assert notified(filtered, agent.path).run_ok() == "made\n"
    assert len(agent.states) == 1 and agent.descriptors == [1]
    assert len(agent.notifications) == 1


@clause("process-state-fields")
def test_the_state_has_what_is_required(filtered, agent):
    made = notified(filtered, agent.path, listenerMetadata="opaque = data")
    made.bundle.config["annotations"] = {"key": "value"}
    made.create()
    made.start()
    made.wait()
    (state,) = agent.states
    assert state["ociVersion"].startswith("1.") and state["fds"] == ["seccompFd"]
    assert (state["pid"], state["metadata"]) == (made.pid, "opaque = data")
    assert (state["state"]["id"], state["state"]["bundle"]) == (made.id, made.bundle.path)
    assert state["state"]["annotations"] == {"key": "value"} and state["state"]["pid"] == made.pid


@clause("seccomp-listener-one")
def test_each_process_has_a_connection_of_its_own(filtered, agent):
    rule = {"names": MKDIR, "action": "SCMP_ACT_NOTIFY"}
    made = filtered("sleep", "100", listenerPath=agent.path, syscalls=[rule]).up()
    made.exec_ok("mkdir", "/x")
    assert len(agent.states) == 2 and agent.descriptors == [1, 1]


@clause("seccomp-listener-fails")
@pytest.mark.parametrize("listener", ["missing", "a file", "not listening"])
def test_a_listener_that_cannot_be_reached_is_an_error(filtered, workdir, listener):
    path = f"{workdir}/agent"
    if listener == "a file":
        open(path, "w", encoding="utf-8").close()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if listener == "not listening":
        bound.bind(path)
    result = notified(filtered, path).run()
    bound.close()
    assert result.returncode != 0 and result.stdout == "" and result.stderr


@clause("seccomp-listener-ignored")
def test_a_listener_that_nobody_needs_is_ignored(filtered):
    made = filtered("echo", "ran", listenerPath="/no/such/agent", syscalls=[
        {"names": MKDIR, "action": "SCMP_ACT_ERRNO"}
    ])  # fmt: skip
    assert made.run_ok() == "ran\n"


@clause("seccomp-listenerMetadata")
def test_metadata_without_a_listener_is_an_error(filtered, refused):
    refused(filtered("true", listenerMetadata="data"))


# ---- paths ----


@clause("maskedPaths-absolute")
@pytest.mark.parametrize("path", ["proc/kcore", "./x", ""], ids=repr)
def test_a_masked_path_that_is_not_absolute_is_an_error(container, refused, path):
    made = container("true")
    made.bundle.linux["maskedPaths"] = [path]
    refused(made)


@clause("maskedPaths-absolute")
def test_masked_paths_cannot_be_read(container):
    made = container(shell="cat /secret; ls /secrets; echo end")
    os.mkdir(f"{made.bundle.rootfs}/secrets")
    for name in ("secret", "secrets/file"):
        with open(f"{made.bundle.rootfs}/{name}", "w", encoding="utf-8") as file:
            file.write("text")
    made.bundle.linux["maskedPaths"] = ["/secret", "/secrets", "/not/there"]
    assert made.run_ok() == "end\n"


@clause("readonlyPaths-absolute")
@pytest.mark.parametrize("path", ["proc/sys", "./x", ""], ids=repr)
def test_a_read_only_path_that_is_not_absolute_is_an_error(container, refused, path):
    made = container("true")
    made.bundle.linux["readonlyPaths"] = [path]
    refused(made)


@clause("readonlyPaths-absolute")
def test_read_only_paths_cannot_be_written(container):
    made = container(shell="echo x > /tmp/file; echo x > /other && cat /other")
    made.bundle.writable().linux["readonlyPaths"] = ["/tmp", "/not/there"]
    result = made.run()
    assert result.stdout == "x\n" and "Read-only file system" in result.stderr


@clause("personality-domain")
@pytest.mark.parametrize("personality", [{"flags": []}, {"domain": ""}, {"domain": "NOSUCH"}], ids=repr)
def test_a_personality_without_a_domain_is_an_error(container, refused, personality):
    made = container("true")
    made.bundle.linux["personality"] = personality
    refused(made)
