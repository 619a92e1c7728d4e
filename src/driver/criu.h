/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoint and restore share. */
#ifndef RUNLXC_DRIVER_CRIU_H
#define RUNLXC_DRIVER_CRIU_H

#include "criu/criu.h"
#include "driver/internal.h"

/* ---- criu.c: the options that both have ---- */

/* The directories of an image. */
struct criu_directories {
	char *images_path, *work_path;
	int images,
	    work;  /* work: where the log goes, the same as `images` unless another was asked for */
	bool made; /* the image's wasn't there */
};
#define CRIU_DIRECTORIES_INIT                                                                      \
	{                                                                                          \
		NULL, NULL, -1, -1, false                                                          \
	}
/* With `make` makes the image's directory; the work directory is always made. */
int criu_directories_open(const struct driver_criu_options *options, bool make,
			  struct criu_directories *directories, struct error *err);
void criu_directories_close(struct criu_directories *directories);
#define cleanup_criu_directories __attribute__((cleanup(criu_directories_close)))

/* Refuses what can't be, before CRIU is asked for anything. */
int criu_check_options(const struct driver_criu_options *options, struct error *err);
/* Whether CRIU, and the kernel with it, can do what was asked for. */
int criu_check_program(const char *program, const struct driver_criu_options *options,
		       struct error *err);

void criu_add_common(struct criu_options *criu, const struct driver_criu_options *options,
		     const struct criu_directories *directories, const struct spec *spec,
		     const char *log_file);

/* What cannot be frozen, or thawed: parts of a container that nobody would make again. */
int criu_check_spec(const struct spec *spec, const char *annotations, struct error *err);

/* The key of a namespace that CRIU is to leave alone: "extRootNetNS". */
const char *criu_namespace_key(enum spec_namespace_type type);

/* ---- criu_image.c: what we put beside CRIU's own images ---- */

/* A mount of the container's as it was when it was frozen. */
struct image_mount {
	char *destination;
	char *source;  /* on the host; NULL: CRIU makes it, or it isn't known */
	bool external; /* not of the container's own: CRIU binds it from the host */
	char *bind;    /* the destination of the one in mounts[] that it belongs to; NULL: none */
	char *controller; /* it is the container's own cgroup; NULL: not */
};

struct image {
	size_t count;
	struct image_mount *mounts;
	char *streams[3]; /* "pipe:[5]", "file[1a:2f]" … as CRIU calls them */
};

/* Looks at a container that runs. */
int image_collect(const struct container *container, const struct spec *spec,
		  const struct cgroup_layout *layout, struct image *image, struct error *err);
int image_write(const struct image *image, int directory, struct error *err);
/* Of an image that runc made only the streams are known. */
int image_read(int directory, struct image *image, struct error *err);
void image_free(struct image *image);
#define cleanup_image __attribute__((cleanup(image_free)))

/* ---- criu_place.c ---- */

/* Tells CRIU where it will find the cgroups; *yard is for criu_place_enter(), freed by the caller.
 */
int criu_place_add(struct criu_options *criu, const struct driver *driver, const char *id,
		   const struct cgroup_layout *layout, char **yard, struct error *err);
/* In the child that becomes CRIU. */
int criu_place_enter(const struct criu_directories *directories, const char *yard,
		     const struct cgroup_layout *layout, struct error *err);

/* ---- criu_mounts.c ---- */

bool criu_mount_is_bind(const struct spec_mount *mount);
/* Where one leads in the root, absolute. NULL: *err says why. */
char *criu_mount_destination(const struct spec_mount *mount, int rootfs, struct error *err);
/* The host's file or directory; NULL: it isn't there. */
char *criu_mount_source(const struct spec_mount *mount, const char *bundle);

/* What CRIU has to bind where in the new container. */
int image_add_mounts(const struct image *image, const struct creation *creation,
		     struct criu_options *criu, struct error *err);

/* The streams of ours that take the place of the old ones, by the descriptors (-1: none) that CRIU
 * gets them by. */
void image_add_streams(const struct image *image, const int *fds, struct criu_options *criu);

#endif
