/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init's program, inside the library: there is no file to be found, replaced or out of step. The build
 * names the file that it linked, RUNLXC_INIT_FILE.
 */
extern const char runlxc_init_start[], runlxc_init_end[];

__asm__(".section .rodata\n"
	".balign 16\n"
	".hidden runlxc_init_start\n"
	".hidden runlxc_init_end\n"
	".global runlxc_init_start\n"
	".global runlxc_init_end\n"
	"runlxc_init_start:\n"
	".incbin \"" RUNLXC_INIT_FILE "\"\n"
	"runlxc_init_end:\n"
	".byte 0\n"
	".previous\n");
