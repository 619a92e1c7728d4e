/* SPDX-License-Identifier: Apache-2.0 */
#include "process/process.h"

#include "base/ranges.h"

void process_compile_memory_policy(const struct spec_linux *linux_, struct plan_buffer *buffer)
{
	struct plan_list list;
	struct ranges nodes;

	if (!linux_->memory_policy.set)
		return;
	plan_head(buffer)->memory_policy_set = 1;
	plan_head(buffer)->memory_policy = spec_memory_policy_mode(linux_);
	if (!linux_->memory_policy.nodes || ranges_parse(linux_->memory_policy.nodes, &nodes) <= 0)
		return;
	list = plan_add_items(buffer, nodes.words, sizeof(nodes.words) / sizeof(nodes.words[0]),
			      sizeof(nodes.words[0]));
	plan_head(buffer)->memory_nodes = list;
}
