/* SPDX-License-Identifier: Apache-2.0 */
/* A config.json that has every field of the Linux model, and some of other platforms. */
#ifndef RUNLXC_TEST_SPEC_EVERYTHING_H
#define RUNLXC_TEST_SPEC_EVERYTHING_H

/* clang-format off */
/* JSON written as it is, without a backslash before every quote. */
#define JSON(...) #__VA_ARGS__

static const char everything[] = JSON({
	"ociVersion": "1.3.0",
	"root": {"path": "rootfs", "readonly": true},
	"hostname": "box", "domainname": "example.org",
	"process": {
		"terminal": true,
		"consoleSize": {"height": 24, "width": 80},
		"user": {"uid": 1000, "gid": 4294967295, "umask": 18, "additionalGids": [5, 6],
			 "username": "of Windows"},
		"args": ["/bin/sh", "", "-c"],
		"env": ["PATH=/bin", "A=b=c"],
		"cwd": "/home",
		"capabilities": {
			"bounding": ["CAP_A", "CAP_B"], "effective": ["CAP_C"],
			"inheritable": ["CAP_D"], "permitted": ["CAP_E"], "ambient": ["CAP_F"]
		},
		"rlimits": [
			{"type": "RLIMIT_CORE", "soft": 0, "hard": 18446744073709551615},
			{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 9223372036854775808}
		],
		"noNewPrivileges": true,
		"apparmorProfile": "docker-default", "selinuxLabel": "system_u:x",
		"oomScoreAdj": -500,
		"scheduler": {
			"policy": "SCHED_DEADLINE", "nice": -20, "priority": 7,
			"flags": ["SCHED_FLAG_RECLAIM"], "runtime": 1, "deadline": 2,
			"period": 18446744073709551615
		},
		"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
		"execCPUAffinity": {"initial": "0-1", "final": "2,3"}
	},
	"mounts": [
		{"destination": "/proc", "type": "proc", "source": "proc"},
		{"destination": "/data", "type": "none", "source": "/srv", "options": ["rbind", "ro"],
		 "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 2}],
		 "gidMappings": [{"containerID": 3, "hostID": 4, "size": 5}]}
	],
	"hooks": {
		"prestart": [{"path": "/a", "args": ["a", "x"], "env": ["E=1"], "timeout": 30}],
		"createRuntime": [{"path": "/b"}, {"path": "/b2"}],
		"createContainer": [{"path": "/c"}],
		"startContainer": [{"path": "/d"}],
		"poststart": [{"path": "/e"}],
		"poststop": [{"path": "/f"}]
	},
	"annotations": {"z": "last", "a": "first", "empty": ""},
	"linux": {
		"namespaces": [
			{"type": "mount"}, {"type": "network", "path": "/run/netns/x"},
			{"type": "user"}, {"type": "time"}, {"type": "pid"}, {"type": "ipc"},
			{"type": "uts"}, {"type": "cgroup"}
		],
		"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536},
				{"containerID": 65536, "hostID": 1, "size": 1}],
		"gidMappings": [{"containerID": 0, "hostID": 200000, "size": 10}],
		"timeOffsets": {"boottime": {"secs": -5, "nanosecs": 7}, "monotonic": {"secs": 8}},
		"devices": [
			{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229,
			 "fileMode": 8630, "uid": 1, "gid": 2},
			{"path": "/dev/pipe", "type": "p"}
		],
		"cgroupsPath": "/docker/abc",
		"rootfsPropagation": "rslave",
		"sysctl": {"net.ipv4.ip_forward": "1", "kernel.msgmax": "65536"},
		"maskedPaths": ["/proc/kcore", "/proc/keys"],
		"readonlyPaths": ["/proc/sys"],
		"mountLabel": "system_u:y",
		"personality": {"domain": "LINUX32", "flags": ["F"]},
		"intelRdt": {
			"closID": "group", "schemata": ["L3:0=f", "MB:0=70"],
			"l3CacheSchema": "L3:0=7", "memBwSchema": "MB:0=20",
			"enableCMT": true, "enableMBM": true, "enableMonitoring": true
		},
		"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0-3,7", "flags": ["MPOL_F_STATIC_NODES"]},
		"netDevices": {"eth0": {"name": "in0"}, "eth1": {}},
		"resources": {
			"devices": [
				{"allow": false, "access": "rwm"},
				{"allow": true, "type": "c", "major": 5, "minor": -1, "access": "rw"},
				{"allow": true, "type": "b", "major": 8}
			],
			"memory": {
				"limit": -1, "reservation": 2, "swap": 3, "kernel": 4, "kernelTCP": 5,
				"swappiness": 6, "disableOOMKiller": true, "useHierarchy": false,
				"checkBeforeUpdate": true
			},
			"cpu": {
				"shares": 1024, "quota": -1, "burst": 3, "period": 100000,
				"realtimeRuntime": 4, "realtimePeriod": 5, "cpus": "2-3", "mems": "0",
				"idle": 1
			},
			"pids": {"limit": 32},
			"blockIO": {
				"weight": 10, "leafWeight": 11,
				"weightDevice": [{"major": 8, "minor": 0, "weight": 500},
						 {"major": 8, "minor": 16, "leafWeight": 300}],
				"throttleReadBpsDevice": [{"major": 1, "minor": 2, "rate": 600}],
				"throttleWriteBpsDevice": [{"major": 1, "minor": 3, "rate": 601}],
				"throttleReadIOPSDevice": [{"major": 1, "minor": 4, "rate": 602}],
				"throttleWriteIOPSDevice": [{"major": 1, "minor": 5, "rate": 603}]
			},
			"hugepageLimits": [{"pageSize": "2MB", "limit": 9223372036854775808}],
			"network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
			"rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}, "mlx4_0": {"hcaObjects": 7}},
			"unified": {"memory.high": "1073741824"}
		},
		"seccomp": {
			"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
			"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
			"flags": ["SECCOMP_FILTER_FLAG_LOG"],
			"listenerPath": "/run/agent", "listenerMetadata": "meta",
			"syscalls": [
				{"names": ["getcwd", "chmod"], "action": "SCMP_ACT_ALLOW"},
				{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": [
					{"index": 0, "value": 2114060288, "valueTwo": 18446744073709551615,
					 "op": "SCMP_CMP_MASKED_EQ"}]}
			]
		}
	},
	"windows": {"layerFolders": "no list"}, "solaris": 1, "vm": [], "zos": "", "freebsd": null,
	"org.example.unknown": {"deep": [1.5, {"er": true}]}
});
/* clang-format on */

#endif
