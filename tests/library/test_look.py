# SPDX-License-Identifier: Apache-2.0
"""What is told of containers: D36, D37, D40, and the OCI verbs as functions."""

import json
import os
import subprocess
import time

import pytest

from lib import system

# ---- D36 ----


def test_D36_an_unknown_id_is_not_running_which_is_no_error(runlxc, driver, new_id):
    assert driver.info(new_id()) == (False, False, 0, 0)
    with pytest.raises(runlxc.Error, match="invalid container id"):
        driver.info("a/b")


def test_D36_from_created_to_gone(driver, oci_bundle, new_id):
    id_ = new_id()
    driver.create(id_, oci_bundle("sleep 1000").path)
    info = driver.info(id_)
    assert not info.running and info.pid == driver.state(id_)["pid"]
    driver.start(id_)
    assert driver.info(id_) == (True, False, info.pid, 0)
    driver.kill(id_, "KILL")
    with system.Pidfd(info.pid) as pidfd:
        pidfd.wait()
    assert driver.info(id_) == (False, False, 0, 0)
    driver.delete(id_)
    assert driver.info(id_) == (False, False, 0, 0)


def test_D36_another_process_with_its_pid_is_not_it(driver, up, workdir):
    """As after a reboot, or when pids have come round."""
    container = up()
    path = f"{workdir}/state/{container.id}/state.json"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(str(container.pid), str(os.getpid())))
    assert driver.info(container.id).running is False
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    assert driver.info(container.id).running is True


# ---- D37 ----


def test_D37_every_pid_nested_cgroups_included(runlxc, driver, command):
    document = command(shell="for i in 1 2 3; do sleep 1000 & done; echo up; wait")
    with driver.run(document, stdout=runlxc.PIPE) as process:
        system.Stream(process.stdout.fileno()).until(b"up")
        pids = driver.pids(document["id"])
        assert pids == sorted(pids) and len(pids) == 4 and process.pid in pids
        for hierarchy in ("cpu", "memory", "freezer", "pids"):
            nested = f"{system.cgroup_directory(process.pid, hierarchy)}/a/b"
            os.makedirs(nested, exist_ok=True)
            with open(f"{nested}/cgroup.procs", "w", encoding="ascii") as procs:
                procs.write(str(pids[-1]))
        assert driver.pids(document["id"]) == pids
        process.signal(9)
        process.wait(20)
    with pytest.raises(runlxc.Error, match="does not exist"):
        driver.pids(document["id"])


# ---- D40 ----


def test_D40_the_shape_is_runcs_with_time_and_limit(driver, command):
    document = command(shell="cat /dev/zero | head -c 8000000 >/dev/null; echo; cat", resources={"memory": 64 << 20})
    with driver.run(document, stdin=-1, stdout=-1) as process:
        process.stdout.read(1)
        stats = driver.stats(document["id"])
        assert (stats["type"], stats["id"]) == ("stats", document["id"])
        data = stats["data"]
        assert data["cpu"]["usage"]["total"] > 0
        assert 0 < data["memory"]["usage"]["usage"] <= 64 << 20
        assert data["memory"]["usage"]["limit"] == data["memory_limit"] == 64 << 20
        assert 1 <= data["pids"]["current"] <= 2
        assert data["read"].startswith(time.strftime("%Y-%m-", time.gmtime()))
        process.stdin.close()
        process.wait(20)


def test_D40_without_a_limit_it_is_the_machines_memory(driver, up):
    data = driver.stats(up().id)["data"]
    with open("/proc/meminfo", encoding="ascii") as file:
        assert data["memory_limit"] == int(file.readline().split()[1]) * 1024


@pytest.fixture
def bridge(token):
    """A bridge of the test's own, without an address."""
    name = f"{token[-8:]}-b"
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    yield name
    subprocess.run(["ip", "link", "del", name], check=True)


def test_D40_interfaces_are_counted(driver, command, bridge):
    network = {"interface": {"bridge": bridge, "ip": "10.231.77.2", "ip_prefix_len": 24}}
    document = command(shell="ping -c 1 -W 1 10.231.77.1 >/dev/null; echo; cat", network=network)
    with driver.run(document, stdin=-1, stdout=-1) as process:
        process.stdout.read(1)
        (interface,) = driver.stats(document["id"])["data"]["network_interfaces"]
        assert interface["Name"] == "eth0"
        assert interface["TxPackets"] > 0 and interface["TxBytes"] > 0
        process.stdin.close()
        process.wait(20)


def test_D40_a_reader_until_the_container_ends(runlxc, driver, up):
    container = up()
    with driver.stats_reader(container.id) as reader:
        first, second = reader.read(), reader.read()
        assert second["data"]["read"] > first["data"]["read"]
        assert second["data"]["cpu"]["usage"]["total"] >= first["data"]["cpu"]["usage"]["total"]
        container.signal(9)
        container.wait(20)
        with pytest.raises(runlxc.Error) as error:
            reader.read()
        assert error.value.errno == 19  # ENODEV
    with pytest.raises(ValueError):
        reader.read()
    with pytest.raises(runlxc.Error, match="does not exist"):
        driver.stats_reader(container.id)


def test_D40_a_thousand_readings_a_second(driver, up):
    """By one core's time: this process's own and the kernel's on its behalf."""
    container = up()
    with driver.stats_reader(container.id) as reader:
        reader.read_text()
        before = time.process_time()
        for _ in range(500):
            text = reader.read_text()
        spent = time.process_time() - before
    assert json.loads(text)["id"] == container.id
    assert spent < 0.5, f"{500 / spent:.0f} readings a second"


# ---- the rest ----


def test_state_list_config_and_features(runlxc, driver, up, command):
    assert driver.list() == []
    first, second = up(), up()
    assert driver.list() == sorted([first.id, second.id])
    assert driver.state(first.id)["pid"] == first.pid
    assert "lxc.rootfs.path" in driver.config(first.id)
    assert driver.features() == runlxc.features()
    assert "linux" in driver.features()
    config = driver.command_config(command(shell="exit 3"))
    assert config["process"]["args"] == ["sh", "-c", "exit 3"]


@pytest.mark.parametrize("verb", ["state", "stats", "config", "pids", "wait", "start", "pause", "resume", "terminate", "delete"])
def test_an_unknown_id_is_an_error(runlxc, driver, new_id, verb):
    id_ = new_id()
    with pytest.raises(runlxc.Error, match=f"container does not exist: {id_}"):
        getattr(driver, verb)(id_)


def test_two_drivers_on_one_root_and_on_two(runlxc, driver, up, workdir):
    container = up()
    with runlxc.Driver(f"{workdir}/state") as other, runlxc.Driver(f"{workdir}/other") as another:
        assert other.list() == [container.id] and another.list() == []
        assert other.info(container.id).pid == container.pid
        assert another.info(container.id).running is False
        other.terminate(container.id)
        assert container.wait(20).signal == 9
        # Deleted by whoever ran it; the other one may do so, too.
        other.delete(container.id, force=True)


def test_limits_can_be_changed(runlxc, driver, up):
    container = up(resources={"memory": 64 << 20})
    driver.update(container.id, {"memory": {"limit": 48 << 20, "swap": 96 << 20}})
    assert driver.stats(container.id)["data"]["memory_limit"] == 48 << 20
    with pytest.raises(runlxc.Error):
        driver.update(container.id, {"memory": {"limit": "much"}})


def test_the_log(runlxc, driver, command):
    lines = []
    driver.set_log(lambda level, message: lines.append((level, message)), runlxc.LogLevel.DEBUG)
    with driver.run(command("true")) as process:
        process.wait(20)
    assert [message for level, message in lines if level == runlxc.LogLevel.DEBUG]
    assert not [message for _, message in lines if "\n" in message]
    driver.set_log(None)
    lines.clear()
    with driver.run(command("true")) as process:
        process.wait(20)
    assert not lines
