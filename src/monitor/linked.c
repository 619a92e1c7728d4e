/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/liblxc.h"

const struct liblxc *liblxc(const char **reason)
{
	static const struct liblxc lxc = {.container_new = lxc_container_new,
					  .item_is_supported = lxc_config_item_is_supported,
					  .get_version = lxc_get_version};

	(void)reason;
	return &lxc;
}
