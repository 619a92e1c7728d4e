# SPDX-License-Identifier: Apache-2.0
#
# A thin front for Meson. What the targets do:
#
#   make deps      install the Debian packages that are missing (as root; nothing to do: no network needed)
#   make           build into build/
#   make run       deps, build, and a container on the spot that shows what it is (as root)
#   make check     deps, build, unit tests, then tests on real containers (those as root): some of them once more in
#                  guests with cgroup v2, AppArmor, SELinux and systemd, and some under each engine
#   make check-vm  deps, build, and every test on real containers in those guests (as root)
#   make check-engines  deps, build, and every test under Docker, containerd, Podman and buildah (as root); then
#                  the same in a Debian 13 tree, with Docker 26 and Podman 5.4 (check-engines-trixie does that alone)
#   make check-trixie  a build and the tests in a Debian 13 tree, with its LXC 6.0, gcc 14 and CRIU 4.1 (as root); the
#                  tree is made once, by debootstrap, in TRIXIE=BUILD/trixie
#   make deb       Debian packages into build/deb, checked by lintian; installs what building them needs (as root)
#   make bench     deps, build, and a comparison with crun, runc and lxc-execute (as root)
#   make bench-vm  the same with few runs in the guest with cgroup v2; it is emulated, so only ratios tell (as root)
#   make install   build and install: PREFIX=/usr/local, DESTDIR= as usual
#   make clean     remove build/ and what the tests left in the tree
#
# BUILD names another build directory, MESONFLAGS what to hand to `meson setup`, TESTFLAGS to pytest,
# BENCHFLAGS to bench/run.

BUILD = build
PREFIX = /usr/local
DESTDIR =
MESONFLAGS =
TESTFLAGS =
BENCHFLAGS =

DEPS = gcc libc6-dev meson ninja-build pkg-config dpkg-dev linux-libc-dev lxc-dev libseccomp-dev libcap-dev \
	libjson-c-dev libsystemd-dev musl-tools libcmocka-dev python3-pytest scdoc busybox-static procps uidmap
CHECK_DEPS = qemu-system-x86 xz-utils apparmor secilc iproute2 lxc python3-pip python3-setuptools criu iptables zsh \
	systemd dbus dbus-user-session libpam-systemd strace
DEB_DEPS = debhelper lintian
ENGINE_DEPS = docker.io containerd podman buildah conmon runc iptables containernetworking-plugins \
	python3-grpcio python3-protobuf python3-pyhcl python3-yaml
TRIXIE = $(BUILD)/trixie
TRIXIE_ENGINE_DEPS = docker.io docker-cli containerd podman buildah conmon runc netavark aardvark-dns \
	containernetworking-plugins nftables tini python3-grpcio python3-protobuf python3-pyhcl python3-yaml
TRIXIE_DEPS = lxc iproute2 strace criu iptables python3-pip python3-setuptools zsh
BENCH_DEPS = crun runc lxc gnuplot-nox

RUNLXC = $(BUILD)/src/cli/runlxc

.PHONY: all deps check-deps bench-deps run check check-vm check-engines check-trixie check-engines-trixie deb bench \
	bench-vm install clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { echo "meson is not installed; \"make deps\" installs what is missing" >&2; exit 1; }
	@meson setup --prefix=$(PREFIX) $(MESONFLAGS) $(BUILD)

deps:
	@scripts/install-packages $(DEPS)

check-deps:
	@scripts/install-packages $(DEPS) $(CHECK_DEPS) $(DEB_DEPS) $(ENGINE_DEPS) $(BENCH_DEPS)

bench-deps:
	@scripts/install-packages $(DEPS) $(BENCH_DEPS)

run: deps
	@$(MAKE) --no-print-directory all
	@scripts/run-demo $(RUNLXC)

check: check-deps
	@$(MAKE) --no-print-directory all
	@scripts/run-tests $(BUILD) $(TESTFLAGS)

check-vm: check-deps
	@$(MAKE) --no-print-directory all
	@scripts/run-tests --vm $(BUILD) $(TESTFLAGS)

check-engines: check-deps
	@$(MAKE) --no-print-directory all
	@status=0; scripts/run-tests --engines $(BUILD) $(TESTFLAGS) || status=1; \
	$(MAKE) --no-print-directory check-engines-trixie || status=1; exit $$status

check-trixie:
	@scripts/install-packages debootstrap
	@tests/trixie/prepare $(TRIXIE) $(DEPS) $(TRIXIE_DEPS)
	@tests/trixie/run $(TRIXIE) $(TESTFLAGS)

check-engines-trixie:
	@scripts/install-packages debootstrap
	@tests/trixie/prepare $(TRIXIE) $(DEPS) $(TRIXIE_DEPS) $(TRIXIE_ENGINE_DEPS)
	@tests/trixie/run --engines $(TRIXIE) $(TESTFLAGS)

deb:
	@scripts/install-packages $(DEPS) $(DEB_DEPS)
	@scripts/build-deb $(BUILD)/deb

bench: bench-deps
	@$(MAKE) --no-print-directory all
	@bench/run --runlxc $(RUNLXC) $(BENCHFLAGS)

bench-vm: bench-deps check-deps
	@$(MAKE) --no-print-directory all
	@tests/vm/run -t 3000 -s "$(CURDIR)" -- bench/run --runlxc $(RUNLXC) --runs 5 --crowd 20 $(BENCHFLAGS)

# The prefix is Meson's, and a build directory may have been set up with another one.
install: all
	@scripts/set-prefix $(BUILD) $(PREFIX)
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD)
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

clean:
	@rm -rf $(BUILD) .pytest_cache
	@find bench tests -name __pycache__ -type d -prune -exec rm -rf {} +
