# SPDX-License-Identifier: Apache-2.0
"""--log, --log-format and --debug, as engines read them."""

import json
import os
import re

import pytest

RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"


@pytest.fixture
def log(runtime, workdir):
    """Calls the command with a log file; .objects are its JSON lines."""

    class Log:
        path = f"{workdir}/log"

        def __call__(self, *args, format_="json", more=()):
            flags = ["--log", self.path, "--log-format", format_, *more]
            return runtime(argv=[runtime.command, *runtime.global_flags, *flags, *args])

        @property
        def text(self):
            with open(self.path, encoding="utf-8") as file:
                return file.read()

        @property
        def objects(self):
            return [json.loads(line) for line in self.text.splitlines()]

    return Log()


def test_an_error_is_exactly_one_json_object_a_line(log, runtime):
    result = log("state", runtime.new_id())
    assert result.returncode == 1
    (entry,) = log.objects
    assert set(entry) >= {"level", "msg", "time"}
    assert entry["level"] == "error"
    assert "container does not exist" in entry["msg"]
    assert re.fullmatch(RFC3339, entry["time"])


def test_an_error_goes_to_standard_error_as_well(log, runtime):
    result = log("state", runtime.new_id())
    assert "container does not exist" in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_failed_create_writes_exactly_one_error(log, container):
    made = container("true")
    made.bundle.mount("/mnt", "/no/such/source", "bind")
    made.bundle.write()
    log("create", "--bundle", made.bundle.path, made.id)
    errors = [entry for entry in log.objects if entry["level"] == "error"]
    assert len(errors) == 1 and "/no/such/source" in errors[0]["msg"]


def test_a_missing_program_is_told_in_the_words_that_docker_looks_for(log, container):
    made = container("no-such-program")
    made.bundle.write()
    log("run", "--bundle", made.bundle.path, made.id)
    (entry,) = [entry for entry in log.objects if entry["level"] == "error"]
    assert "executable file not found" in entry["msg"]


def test_a_failed_exec_writes_exactly_one_error(log, container):
    made = container("sleep", "100").up()
    log("exec", "--detach", made.id, "no-such-program")
    (entry,) = [entry for entry in log.objects if entry["level"] == "error"]
    assert "executable file not found" in entry["msg"]


def test_success_writes_no_error(log, container):
    made = container("sleep", "100")
    made.bundle.write()
    assert log("create", "--bundle", made.bundle.path, made.id).returncode == 0
    assert log("start", made.id).returncode == 0
    assert log("delete", "--force", made.id).returncode == 0
    assert not os.path.exists(log.path) or log.text == ""


def test_a_warning_has_its_level(log, container):
    made = container("true")
    made.bundle.capabilities("CAP_NO_SUCH_THING")
    made.bundle.write()
    assert log("run", "--bundle", made.bundle.path, made.id).returncode == 0
    levels = {entry["level"] for entry in log.objects if "CAP_NO_SUCH_THING" in entry["msg"]}
    assert levels == {"warning"}


def test_the_log_is_appended_to(log, runtime):
    log("state", runtime.new_id())
    log("state", runtime.new_id())
    assert len(log.objects) == 2


def test_any_text_is_one_json_line(log, runtime):
    log("create", "--bundle", '/no/"bundle"\n\\at\tall', runtime.new_id())
    (entry,) = log.objects
    assert "bundle" in entry["msg"]


def test_the_text_format_is_logrus(log, runtime):
    log("state", runtime.new_id(), format_="text")
    (line,) = log.text.splitlines()
    assert re.fullmatch(rf'time="{RFC3339}" level=error msg=".*container does not exist.*"', line)


def test_debug_adds_the_steps(log, container):
    made = container("true")
    made.bundle.write()
    assert log("run", "--bundle", made.bundle.path, made.id, more=["--debug"]).returncode == 0
    assert {entry["level"] for entry in log.objects} >= {"debug"}
    assert "error" not in {entry["level"] for entry in log.objects}


@pytest.mark.ours
def test_debug_adds_the_steps_of_an_exec(log, container):
    made = container("sleep", "100").up()
    assert log("exec", made.id, "/bin/true", more=["--debug"]).returncode == 0
    steps = [entry["msg"] for entry in log.objects if entry["level"] == "debug"]
    assert "init: joined the container's namespaces" in steps
    assert 'init: ready to execute "/bin/true" as 0:0' in steps


def test_debug_before_the_verb_without_a_log_file(container):
    """buildah does that; the steps go to standard error, never to standard output."""
    made = container("echo", "hi")
    made.bundle.write()
    argv = [made.runtime.command, *made.runtime.global_flags, "--debug", "run", "-b", made.bundle.path, made.id]
    result = made.runtime.ok(argv=argv)
    assert result.stdout == "hi\n" and "level=debug" in result.stderr


def test_a_log_that_cannot_be_written_is_an_error(runtime):
    result = runtime(argv=[runtime.command, *runtime.global_flags, "--log", "/no/such/dir/log", "list"])
    result.assert_refused("/no/such/dir/log")


def test_version_says_which_and_of_what(runtime):
    lines = runtime.ok(argv=[runtime.command, "--version"]).stdout.splitlines()
    assert re.match(r"\w+ version \S+", lines[0])
    assert any(line.startswith("commit: ") for line in lines)
    assert any(re.match(r"spec: 1\.\d", line) for line in lines)
    assert any(line.startswith("libseccomp: ") for line in lines)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(runtime, flag):
    assert "create" in runtime.ok(argv=[runtime.command, flag]).stdout


@pytest.mark.ours
@pytest.mark.parametrize(
    "verb",
    "checkpoint config create delete events exec features kill list pause ps restore resume run spec start state stats "
    "update wait".split(),
)
def test_a_verbs_help_has_runcs_headings(runtime, verb):
    lines = runtime.ok(argv=[runtime.command, verb, "-h"]).stdout.splitlines()
    assert lines[0] == "NAME:" and lines[1].startswith(f"   runlxc {verb} - ")
    assert lines[lines.index("USAGE:") + 1].startswith(f"   runlxc {verb} ")
    assert "OPTIONS:" in lines


def test_an_unknown_verb_has_no_help(runtime):
    result = runtime.fails(argv=[runtime.command, "foo", "-h"])
    assert "No help topic for 'foo'" in result.stdout + result.stderr


@pytest.mark.parametrize(
    "verb",
    "create delete exec features kill list pause ps resume run spec start state".split(),
)
def test_every_verb_has_help(runtime, verb):
    out = runtime.ok(argv=[runtime.command, verb, "--help"]).stdout
    assert verb in out
